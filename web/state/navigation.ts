/** The route as a signal, tied to the address: changes of selection are steps in the history. */
import { effect, signal } from "@preact/signals";
import { isEmbedded } from "./embedded.ts";
import { notify } from "./notices.ts";
import { formatRoute, parseRoute, type Route } from "./route.ts";
import { keepToken } from "./token.ts";

keepToken(); // before the address is read for other things
const start = parseRoute(location.hash);
for (const problem of start.problems) notify("warning", problem);

export const route = signal<Route>(start.route);

/** Whether the next write of the address makes a step in the history. */
let pushes = false;

/** Changes the selection. Back returns to the state before. */
export function navigate(change: Partial<Route>): void {
  pushes = true;
  route.value = { ...route.value, ...change };
}

/** Changes the selection without a step in the history: for sliders, typing and the pointer. */
export function adjust(change: Partial<Route>): void {
  route.value = { ...route.value, ...change };
}

effect(() => {
  const hash = formatRoute(route.value);
  // A figure makes no steps in the history of the page that shows it.
  const method = pushes && !isEmbedded ? "pushState" : "replaceState";
  if (hash !== location.hash) history[method](null, "", hash);
  pushes = false;
});

addEventListener("popstate", () => {
  if (keepToken()) {
    history.replaceState(null, "", formatRoute(route.peek()));
    return;
  }
  const { route: next, problems } = parseRoute(location.hash);
  for (const problem of problems) notify("warning", problem);
  route.value = next;
});
