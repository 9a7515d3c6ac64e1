/** Keys of the whole page. Arrow keys belong to the map that has the focus. */
import { place } from "./attention.ts";
import { openDialog } from "./derived.ts";
import { isEmbedded } from "./embedded.ts";
import { navigate, route } from "./navigation.ts";
import { imagePass } from "./session.ts";
import { hasShortcuts } from "./settings.ts";
import { currentText, stepImage, togglePinnedImage, togglePinnedText } from "./tray.ts";
import { viewNames } from "./views.ts";
import { goTo } from "../walk/walk.tsx";

interface Shortcut {
  readonly keys: readonly string[];
  readonly does: string;
  readonly run: (key: string) => void;
}

/** Keys that leave the view; a figure of another page has none of them. */
const amongViews: readonly Shortcut[] = [
  {
    keys: ["w"],
    does: "start the walk, or its next step",
    run: () => {
      goTo((route.value.walk ?? 0) + 1);
    },
  },
  {
    keys: ["n", "p"],
    does: "next and previous view",
    run: (key) => {
      stepView(key === "n" ? 1 : -1);
    },
  },
  {
    keys: viewNames.slice(0, 9).map((_, i) => `${i + 1}`),
    does: "a view by its place in the menu",
    run: (key) => {
      navigate({ view: viewNames[Number(key) - 1]! });
    },
  },
];

export const shortcuts: readonly Shortcut[] = [
  ...(isEmbedded ? [] : amongViews),
  {
    keys: ["j", "k"],
    does: "next and previous layer",
    run: (key) => {
      stepLayer(key === "j" ? 1 : -1);
    },
  },
  {
    keys: ["l", "h"],
    does: "next and previous head",
    run: (key) => {
      stepHead(key === "l" ? 1 : -1);
    },
  },
  {
    keys: ["m"],
    does: "mean over heads",
    run: () => {
      navigate({ head: route.value.head === null ? 0 : null });
    },
  },
  {
    keys: ["[", "]"],
    does: "previous and next image",
    run: (key) => {
      stepImage(key === "]" ? 1 : -1);
    },
  },
  {
    keys: ["b", "B"],
    does: "pin the current image, or text, as B",
    run: (key) => {
      if (key === "b") togglePinnedImage();
      else togglePinnedText(currentText.value.text);
    },
  },
  {
    keys: ["s"],
    does: "absolute scale",
    run: () => {
      navigate({ absolute: !route.value.absolute });
    },
  },
  {
    keys: ["/"],
    does: "search values",
    run: () => {
      openDialog.value = "search";
    },
  },
  {
    keys: ["?"],
    does: "this list",
    run: () => {
      openDialog.value = "help";
    },
  },
  {
    keys: ["Esc"],
    does: "close",
    run: () => {
      navigate({ tap: null });
    },
  },
];

function stepView(step: number): void {
  const at = viewNames.indexOf(route.value.view) + step;
  navigate({ view: viewNames[Math.min(Math.max(at, 0), viewNames.length - 1)]! });
}

function stepLayer(step: number): void {
  const last = (imagePass.value?.value.heads.length ?? 1) - 1;
  navigate({ layer: Math.min(Math.max(place.value.layer + step, 0), last) });
}

function stepHead(step: number): void {
  const { layer, head } = place.value;
  const last = (imagePass.value?.value.heads[layer]?.length ?? 1) - 1;
  navigate({ head: head === null ? 0 : Math.min(Math.max(head + step, 0), last) });
}

export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (openDialog.value !== null || isTyping(event.target)) return;
    const key = event.key === "Escape" ? "Esc" : event.key;
    if (key !== "Esc" && !hasShortcuts.value) return;
    const shortcut = shortcuts.find(({ keys }) => keys.includes(key));
    if (shortcut === undefined || (key === "Esc" && route.value.tap === null)) return;
    event.preventDefault();
    shortcut.run(key);
  });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches("textarea, select, input:not([type=range], [type=checkbox])")
  );
}
