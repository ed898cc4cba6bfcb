export function element(kind, classes, text, parent) {
  const made = document.createElement(kind);
  made.className = classes;
  if (text !== undefined) made.textContent = text; // never markup: it may come from a file
  parent?.append(made);
  return made;
}

// A reader of the screen hears of what changes: so nothing is written that is there already.
export function write(place, text) {
  if (place && place.textContent !== text) place.textContent = text;
}
