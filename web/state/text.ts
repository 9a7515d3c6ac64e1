/** What the text view shows. */
import { computed } from "@preact/signals";
import { asked } from "./asked.ts";
import { route } from "./navigation.ts";
import { textPass, textTrace } from "./session.ts";
import { currentText, trayTexts } from "./tray.ts";

const isOpen = computed(() => route.value.view === "text");
const trace = computed(() => (isOpen.value ? textTrace.value : null));

/** All texts of the tray. */
export const read = asked("texts", () =>
  trace.value === null ? null : { texts: trayTexts.value.map(({ text }) => text) },
);

/** The text that the current one is aligned with: the chosen one, or the next one of the tray. */
export const other = computed(() => {
  const texts = trayTexts.value.map(({ text }) => text);
  const chosen = route.value.other ?? route.value.textB;
  if (chosen !== null && texts.includes(chosen)) return chosen;
  return texts.find((text) => text !== currentText.value.text) ?? texts[0]!;
});

/** The layer and the head of the attention, within what the tower has. */
export const place = computed(() => {
  const pass = textPass.value?.value;
  const layers = pass?.received.length ?? 1;
  const shape = pass?.taps.find(({ name }) => name.endsWith("#probabilities"))?.shape;
  const { layer, head, token, state } = route.value;
  return {
    layers,
    heads: shape?.[1] ?? 1,
    layer: Math.min(layer, layers - 1),
    head: head === null ? null : Math.min(head, (shape?.[1] ?? 1) - 1),
    token: Math.min(token, (pass?.tokens.length ?? 1) - 1),
    state: Math.min(state, layers),
  };
});

export const attention = asked("attention", () =>
  trace.value === null ? null : { trace: trace.value, layer: place.value.layer, head: place.value.head },
);

export const pooled = asked("pooling", () => (trace.value === null ? null : { trace: trace.value }));

export const aligned = asked("alignment", () => {
  const b = read.value?.texts[trayTexts.value.findIndex(({ text }) => text === other.value)];
  return trace.value === null || b === undefined
    ? null
    : { a: trace.value, b: b.trace, state: place.value.state };
});
