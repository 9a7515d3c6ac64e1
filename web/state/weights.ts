/** What the weights view shows. */
import { computed } from "@preact/signals";
import { asked } from "./asked.ts";
import { route } from "./navigation.ts";

const isOpen = computed(() => route.value.view === "weights");

export const found = asked("weights", () => (isOpen.value ? { absoluteScale: route.value.absolute } : null));

export const circuits = asked("circuits", () => (isOpen.value ? {} : null));

/** The tensor whose distribution is shown: the chosen one, or the patch filters. */
export const chosen = computed(() => {
  if (found.value === null) return null;
  const { weight } = route.value;
  const isKnown = found.value.tensors.some(({ name }) => name === weight);
  return isKnown ? weight : "visual.conv1.weight";
});

export const figures = asked("tensor", () => (chosen.value === null ? null : { name: chosen.value }));
