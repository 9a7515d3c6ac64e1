/** Settings that stay in the browser. */
import { effect, signal } from "@preact/signals";
import { embeddedTheme, isEmbedded } from "./embedded.ts";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export const theme = signal<Theme>(
  themes.find((one) => one === (embeddedTheme ?? read("theme"))) ?? "system",
);
/** Whether single letters are shortcuts (WCAG 2.1.4). */
export const hasShortcuts = signal(read("shortcuts") !== "off");

effect(() => {
  const { value } = theme;
  if (value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = value;
  if (!isEmbedded) write("theme", value);
});

effect(() => {
  write("shortcuts", hasShortcuts.value ? "on" : "off");
});

/** Storage may be switched off. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(`clipscope.${key}`);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(`clipscope.${key}`, value);
  } catch {
    // The setting holds until the page is closed.
  }
}
