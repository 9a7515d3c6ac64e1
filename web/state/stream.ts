/** What the stream view shows. */
import { computed } from "@preact/signals";
import { asked } from "./asked.ts";
import { route } from "./navigation.ts";
import { imageTrace, textTrace } from "./session.ts";

/** The trace of the chosen tower; null while another view is open, or before the network has run. */
const trace = computed(() => {
  const { view, tower } = route.value;
  if (view !== "stream") return null;
  return tower === "image" ? imageTrace.value : textTrace.value;
});

export const summary = asked("stream", () => (trace.value === null ? null : { trace: trace.value }));

/** The selected state and token, within what the stream has. */
export const selection = computed(() => {
  const { state, token } = route.value;
  const norms = summary.value?.norms;
  return {
    state: Math.min(state, (norms?.length ?? 1) - 1),
    token: Math.min(token, (norms?.[0]?.length ?? 1) - 1),
  };
});

/** Questions about parts of the stream wait for the summary, which says what parts there are. */
const known = computed(() => (summary.value === null ? null : trace.value));

export const turns = asked("turns", () =>
  known.value === null ? null : { trace: known.value, token: selection.value.token },
);
export const similarities = asked("similarities", () =>
  known.value === null ? null : { trace: known.value, state: selection.value.state },
);
