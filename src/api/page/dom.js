// Elements, and what is shown for a moment.

/** An element: h("button", {class: "primary", onclick}, "text", child). Of null and false nothing is made. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Says something for some seconds; what went wrong stays longer. */
export function toast(text, bad = false) {
  const element = h("p", { class: bad ? "bad" : "good" }, text);
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), bad ? 8000 : 4000);
}

/** Puts new children in place of the old ones; whoever had the focus, by its data-key, has it again. */
export function replace(parent, ...children) {
  const key = document.activeElement?.closest?.("[data-key]")?.dataset.key;
  const had = key && parent.contains(document.activeElement);
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (had) parent.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}
