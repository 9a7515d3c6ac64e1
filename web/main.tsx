/** The studio's page. */
import { effect, signal } from "@preact/signals";
import { render, type ComponentType } from "preact";
import { Dialog } from "./parts/dialog.tsx";
import { EmbedBar } from "./parts/embed-bar.tsx";
import { Header } from "./parts/header.tsx";
import { HelpDialog } from "./parts/help-dialog.tsx";
import { Inspector } from "./parts/inspector.tsx";
import { Notices } from "./parts/notices.tsx";
import { SearchDialog } from "./parts/search-dialog.tsx";
import { TableDialog } from "./parts/table-dialog.tsx";
import { takeFiles } from "./state/take-files.ts";
import { filesOf } from "./state/dropped-files.ts";
import { cards, openDialog, reveal } from "./state/derived.ts";
import { isEmbedded } from "./state/embedded.ts";
import { route } from "./state/navigation.ts";
import { notifyError } from "./state/notices.ts";
import { startSession } from "./state/session.ts";
import { listenToKeys } from "./state/shortcuts.ts";
import { restoreTray } from "./state/tray.ts";
import { titleOf, type ViewName } from "./state/views.ts";
import { Tray } from "./tray/tray.tsx";
import { loaders } from "./views/load.ts";
import { PassView } from "./views/pass.tsx";
import { Walk } from "./walk/walk.tsx";

const views = signal<Partial<Record<ViewName, ComponentType>>>({ pass: PassView });

/** Views that show the selected value themselves. */
const ownDetails: readonly ViewName[] = ["compare", "parity"];

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
  const hasInspector = view === "pass" || (tap !== null && !ownDetails.includes(view));
  return (
    <>
      {isEmbedded ? <EmbedBar /> : <Header />}
      <div class={`frame ${hasInspector ? "with-inspector" : ""} ${isEmbedded ? "embedded" : ""}`}>
        {!isEmbedded && (
          <div class="rail">
            <Tray />
          </div>
        )}
        <main>
          {!isEmbedded && <Walk />}
          {View && <View />}
        </main>
        {hasInspector && <Inspector />}
      </div>
      {openDialog.value === "search" && <SearchDialog />}
      {openDialog.value === "help" && <HelpDialog />}
      {openDialog.value === "table" && <TableDialog />}
      {openDialog.value === "inputs" && (
        <Dialog title="Inputs" class="sheet">
          <Tray />
        </Dialog>
      )}
      <Notices />
    </>
  );
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
    filesOf(event.dataTransfer).then(takeFiles).catch(notifyError);
  });
  document.addEventListener("paste", (event) => {
    filesOf(event.clipboardData).then(takeFiles).catch(notifyError);
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
