// The panel's end of the feed: it asks, hears, notices silence, and tries again.

const PROTOCOL = "gruviz"; // of the feed; the run's token comes after it
const SILENCE_MILLISECONDS = 8000; // the feed answers at least every four seconds
const FIRST_WAIT = 500; // milliseconds, doubled before each attempt to connect
const LONGEST_WAIT = 16000;
// What the feed says with its last word: what the panel tells the reader, and whether it tries again.
const PARTINGS = {
  4404: { word: "gone", again: false },
  4409: { word: "crowded", again: false },
  4429: { word: "full", again: true },
};
const CUT_OFF = { word: "lost", again: true };

export class Connection {
  // address: where the feed of a run is, read at each attempt; ask: what to tell it; take: what to do
  // with a frame; tell: what to do with a word of how things stand, null if all is well.
  constructor({ address, ask, take, tell }) {
    Object.assign(this, { address, ask, take, tell });
    this.socket = null;
    this.wait = FIRST_WAIT;
  }

  open(token) {
    this.close();
    this.token = token;
    if (!token) return;
    const socket = new WebSocket(this.address(), [PROTOCOL, token]);
    socket.binaryType = "arraybuffer";
    const ask = () => socket.send(JSON.stringify(this.ask()));
    socket.onopen = ask;
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.listen();
      this.wait = FIRST_WAIT;
      this.tell(null);
      this.take(data);
      ask();
    };
    socket.onclose = ({ code }) => {
      if (socket === this.socket) this.part(PARTINGS[code] ?? CUT_OFF);
    };
    this.socket = socket;
    this.listen();
  }

  close() {
    const socket = this.socket;
    this.socket = null; // what it still has to say is no longer heard
    socket?.close();
    clearTimeout(this.retry);
    clearTimeout(this.silence);
  }

  // A network that is gone says nothing: so silence is taken for a connection that is lost.
  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.part(CUT_OFF), SILENCE_MILLISECONDS);
  }

  part({ word, again }) {
    this.close();
    this.tell(word);
    if (!again) return;
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    const some = 0.75 + Math.random() / 2; // not all at once
    this.retry = setTimeout(() => this.open(this.token), this.wait * some);
  }
}
