/** Shortcuts, and what the page is. */
import { version } from "virtual:version";
import { modelInfo } from "../state/session.ts";
import { hasShortcuts } from "../state/settings.ts";
import { shortcuts } from "../state/shortcuts.ts";
import { CopyButton } from "./copy-button.tsx";
import { figureCode } from "../state/embedded.ts";
import { route } from "../state/navigation.ts";
import { runsInServer } from "../state/network.ts";
import { titleOf } from "../state/views.ts";
import { Dialog } from "./dialog.tsx";
import { count } from "./format.ts";
import { Switch } from "./switch.tsx";

export function HelpDialog() {
  const info = modelInfo.value;
  return (
    <Dialog title="clipscope studio" class="help">
      <p>
        The network runs in this page. Images and texts stay on this machine, and nothing is loaded from other
        hosts.
      </p>
      {info && (
        <p>
          {info.name}: {count(info.parameters)} parameters, {info.layers} image blocks of {info.heads} heads,
          embeddings of {info.embedDim} numbers. It was trained on generated images of shapes.
        </p>
      )}
      {!runsInServer.value && (
        <>
          <h3>This view in your own page</h3>
          <p>
            A blog post or a course can show this view with its present inputs as a live figure.{" "}
            <CopyButton
              label="Copy the figure's HTML"
              text={figureCode(location.href, titleOf(route.value.view))}
            />
          </p>
        </>
      )}
      <h3>Keyboard</h3>
      <dl class="keys">
        {shortcuts.map(({ keys, does }) => (
          <div>
            <dt>
              {keys.length > 2 ? (
                <>
                  <kbd>{keys[0]}</kbd> to <kbd>{keys.at(-1)}</kbd>
                </>
              ) : (
                keys.map((key) => <kbd>{key}</kbd>)
              )}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <Switch
        label="Single-letter shortcuts"
        isOn={hasShortcuts.value}
        onChange={(isOn) => {
          hasShortcuts.value = isOn;
        }}
      />
      <p class="caption">clipscope {version}, MIT licence.</p>
    </Dialog>
  );
}
