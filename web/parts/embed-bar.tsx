/** The frame of a view that another page shows as a figure. */
import { openDialog } from "../state/derived.ts";
import { wholeAddress } from "../state/embedded.ts";
import { route } from "../state/navigation.ts";
import { formatRoute } from "../state/route.ts";
import { currentImage, currentText } from "../state/tray.ts";
import { Status } from "./header.tsx";

export function EmbedBar() {
  const base = location.href.replace(/#.*$/, "");
  return (
    <header class="embed-bar">
      <button
        type="button"
        class="plain inputs"
        onClick={() => {
          openDialog.value = "inputs";
        }}
      >
        {currentImage.value && <img src={currentImage.value.url} alt="" />}
        <span class="text">{currentText.value.text}</span>
        <span class="change">Change</span>
      </button>
      <Status />
      <a href={wholeAddress(base + formatRoute(route.value))} target="_blank" rel="noopener">
        Open in the studio
      </a>
    </header>
  );
}
