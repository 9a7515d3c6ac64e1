/** The studio's page. */
import { effect, signal } from "@preact/signals";
import { render, type ComponentType } from "preact";
import { Dialog } from "./parts/dialog.tsx";
import { Header } from "./parts/header.tsx";
import { HelpDialog } from "./parts/help-dialog.tsx";
import { Inspector } from "./parts/inspector.tsx";
import { Notices } from "./parts/notices.tsx";
import { SearchDialog } from "./parts/search-dialog.tsx";
import { cards, openDialog, reveal } from "./state/derived.ts";
import { route } from "./state/navigation.ts";
import { notifyError } from "./state/notices.ts";
import { startSession } from "./state/session.ts";
import { listenToKeys } from "./state/shortcuts.ts";
import { addImages, restoreTray } from "./state/tray.ts";
import { titleOf, type ViewName } from "./state/views.ts";
import { Tray } from "./tray/tray.tsx";
import { loaders } from "./views/load.ts";
import { PassView } from "./views/pass.tsx";

const views = signal<Partial<Record<ViewName, ComponentType>>>({ pass: PassView });

effect(() => {
  const { view } = route.value;
  if (view === "pass" || views.peek()[view] !== undefined) return;
  loaders[view]().then((View) => {
    views.value = { ...views.peek(), [view]: View };
  }, notifyError);
});

function Page() {
  const { view, tap } = route.value;
  const View = views.value[view];
  document.title = `${titleOf(view)} · clipscope studio`;
  const hasInspector = view === "pass" || tap !== null;
  return (
    <>
      <Header />
      <div class={`frame ${hasInspector ? "with-inspector" : ""}`}>
        <div class="rail">
          <Tray />
        </div>
        <main>{View && <View />}</main>
        {hasInspector && <Inspector />}
      </div>
      {openDialog.value === "search" && <SearchDialog />}
      {openDialog.value === "help" && <HelpDialog />}
      {openDialog.value === "inputs" && (
        <Dialog title="Inputs" class="sheet">
          <Tray />
        </Dialog>
      )}
      <Notices />
    </>
  );
}

function imagesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])];
}

function listenToFiles(): void {
  const { body } = document;
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    body.classList.remove("dropping");
    void addImages(imagesOf(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    const files = imagesOf(event.clipboardData);
    if (files.length > 0) void addImages(files);
  });
}

render(<Page />, document.querySelector("#page")!);
listenToKeys();
listenToFiles();
void restoreTray();
void startSession();

// Unfolds the card of the address's value, once there are cards.
const stopWaiting = effect(() => {
  if (cards.value.length === 0) return;
  const { tap } = route.peek();
  if (tap !== null) reveal(tap);
  queueMicrotask(() => {
    stopWaiting();
  });
});
