/** Short messages that the user can dismiss. */
import { signal } from "@preact/signals";

export interface Notice {
  readonly id: number;
  readonly kind: "warning" | "error";
  readonly text: string;
}

export const notices = signal<readonly Notice[]>([]);
let next = 0;

/** Shows a message, unless it is shown already. */
export function notify(kind: Notice["kind"], text: string): void {
  if (notices.value.some((notice) => notice.text === text)) return;
  notices.value = [...notices.value, { id: next++, kind, text }];
}

/** Dismisses a message that no longer holds. */
export function withdraw(text: string): void {
  notices.value = notices.value.filter((notice) => notice.text !== text);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Shows what went wrong, unless the work was only given up. */
export function notifyError(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  notify("error", error instanceof Error ? error.message : String(error));
}
