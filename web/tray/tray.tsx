/** The inputs: images and texts, of which one each is current. */
import { ImageTray } from "./image-tray.tsx";
import { TextTray } from "./text-tray.tsx";

export function Tray() {
  return (
    <div class="tray">
      <ImageTray />
      <TextTray />
    </div>
  );
}
