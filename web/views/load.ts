/** The views by name. The first one is part of the page; the others are loaded when they are opened. */
import type { ComponentType } from "preact";
import type { ViewName } from "../state/views.ts";

export const loaders: Readonly<Record<Exclude<ViewName, "pass">, () => Promise<ComponentType>>> = {
  attention: async () => (await import("./attention.tsx")).AttentionView,
  text: async () => (await import("./text.tsx")).TextView,
  stream: async () => (await import("./stream.tsx")).StreamView,
  weights: async () => (await import("./weights.tsx")).WeightsView,
  match: async () => (await import("./match.tsx")).MatchView,
  why: async () => (await import("./why.tsx")).WhyView,
  intervene: async () => (await import("./intervene.tsx")).InterveneView,
  lens: async () => (await import("./lens.tsx")).LensView,
  compare: async () => (await import("./compare.tsx")).CompareView,
  parity: async () => (await import("./parity.tsx")).ParityView,
  probe: async () => (await import("./probe.tsx")).ProbeView,
  search: async () => (await import("./search.tsx")).SearchView,
};
