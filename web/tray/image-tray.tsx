/** The images: samples, and files that the user drops, pastes or chooses. */
import { useRef } from "preact/hooks";
import { Icon } from "../parts/icon.tsx";
import { takeFiles } from "../state/take-files.ts";
import { withPath } from "../state/dropped-files.ts";
import { navigate } from "../state/navigation.ts";
import {
  currentImage,
  isImageMissing,
  pinnedImage,
  removeImage,
  togglePinnedImage,
  trayImages,
  type TrayImage,
} from "../state/tray.ts";

export function ImageTray() {
  const input = useRef<HTMLInputElement>(null);
  const current = currentImage.value;
  return (
    <section aria-labelledby="images-title">
      <h2 id="images-title">Image</h2>
      {current !== null && (
        <img class="current-image" src={current.url} alt={`Current image: ${current.name}`} />
      )}
      {current !== null && (
        <button
          type="button"
          class="pin"
          title="Compare other images with it (b)"
          aria-pressed={pinnedImage.value?.key === current.key}
          onClick={togglePinnedImage}
        >
          {pinnedImage.value?.key === current.key ? "Pinned as B" : "Pin as B"}
        </button>
      )}
      {isImageMissing.value && (
        <p class="missing">
          This address names an image of another browser. Drop the same file here to see it, or choose another
          one.
        </p>
      )}
      <ul class="thumbs">
        {trayImages.value.map((image) => (
          <Thumb image={image} isCurrent={image.key === current?.key} />
        ))}
        <li>
          <button
            type="button"
            class="thumb add"
            aria-label="Add images"
            title="Add images: choose files, drop them anywhere, or paste"
            onClick={() => input.current?.click()}
          >
            <Icon name="plus" />
          </button>
        </li>
      </ul>
      <input
        ref={input}
        type="file"
        accept="image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff"
        multiple
        hidden
        onChange={(event) => {
          void takeFiles([...(event.currentTarget.files ?? [])].map(withPath));
          event.currentTarget.value = "";
        }}
      />
      <p class="caption">Drop or paste images anywhere. They stay on this machine.</p>
    </section>
  );
}

function Thumb({ image, isCurrent }: { readonly image: TrayImage; readonly isCurrent: boolean }) {
  const isPinned = pinnedImage.value?.key === image.key;
  return (
    <li>
      <button
        type="button"
        class="thumb"
        aria-pressed={isCurrent}
        aria-label={isPinned ? `${image.name}, pinned as B` : image.name}
        title={image.name}
        onClick={() => {
          navigate({ image: image.key });
        }}
      >
        <img src={image.url} alt="" />
        {isPinned && <span class="slot">B</span>}
      </button>
      {!image.isSample && (
        <button
          type="button"
          class="remove"
          aria-label={`Remove ${image.name}`}
          onClick={() => {
            removeImage(image.key);
          }}
        >
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}
