import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Connection } from "../../gruviz/ui/static/connection.js";

const sockets = [];

class Socket {
  constructor(address, protocols) {
    Object.assign(this, { address, protocols, sent: [], closed: false });
    sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }
}

let said;
let taken;
let connection;

beforeEach(() => {
  globalThis.WebSocket = Socket;
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(Math, "random", () => 0.5); // so that waits are exact
  sockets.length = 0;
  said = [];
  taken = [];
  connection = new Connection({
    address: () => "ws://here/feed",
    ask: () => ({ steps: taken.length }),
    take: (frame) => taken.push(frame),
    tell: (word) => said.push(word),
  });
});

test("the token is the second protocol and stands in no address", () => {
  connection.open("secret");
  assert.deepEqual([sockets[0].address, sockets[0].protocols], ["ws://here/feed", ["gruviz", "secret"]]);
});

test("each frame is taken before the next is asked for", () => {
  connection.open("t");
  sockets[0].onopen();
  sockets[0].onmessage({ data: "frame" });
  assert.deepEqual([taken, sockets[0].sent, said], [["frame"], [{ steps: 0 }, { steps: 1 }], [null]]);
});

test("without a run nothing is opened", () => {
  connection.open(null);
  assert.equal(sockets.length, 0);
});

test("silence of eight seconds is a lost connection, and it is tried again", () => {
  connection.open("t");
  mock.timers.tick(7999);
  sockets[0].onmessage({ data: "frame" });
  mock.timers.tick(7999);
  assert.deepEqual(said, [null]);
  mock.timers.tick(1);
  assert.deepEqual([said, sockets[0].closed, sockets.length], [[null, "lost"], true, 1]);
  mock.timers.tick(1000);
  assert.deepEqual(sockets[1].protocols, ["gruviz", "t"]);
});

test("who says nothing from the beginning is lost as well", () => {
  connection.open("t");
  mock.timers.tick(8000);
  assert.deepEqual(said, ["lost"]);
});

test("the wait doubles with each attempt up to sixteen seconds, and a frame makes it short again", () => {
  connection.open("t");
  for (const wait of [1000, 2000, 4000, 8000, 16000, 16000]) {
    sockets.at(-1).onclose({ code: 1006 });
    const before = sockets.length;
    mock.timers.tick(wait - 1);
    assert.equal(sockets.length, before);
    mock.timers.tick(1);
    assert.equal(sockets.length, before + 1);
  }
  sockets.at(-1).onmessage({ data: "frame" });
  sockets.at(-1).onclose({ code: 1006 });
  mock.timers.tick(1000);
  assert.equal(sockets.length, 8);
});

for (const [code, word, again] of [[4404, "gone", false], [4409, "crowded", false], [4429, "full", true], [4400, "lost", true]]) {
  test(`${code} is said as ${word}, and is ${again ? "" : "not "}tried again`, () => {
    connection.open("t");
    sockets[0].onclose({ code });
    assert.deepEqual(said, [word]);
    mock.timers.tick(60_000);
    assert.equal(sockets.length > 1, again);
  });
}

test("what a socket says after it was let go of is not heard", () => {
  connection.open("one");
  connection.open("two");
  sockets[0].onmessage({ data: "late" });
  sockets[0].onclose({ code: 4404 });
  assert.deepEqual([taken, said, sockets[0].closed], [[], [], true]);
});

test("after closing, nothing is tried again", () => {
  connection.open("t");
  sockets[0].onclose({ code: 1006 });
  connection.close();
  mock.timers.tick(60_000);
  assert.equal(sockets.length, 1);
});
