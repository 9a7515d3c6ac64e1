/** The classes of a probe, with their images. */
import {
  addClass,
  changeClass,
  classifyCurrent,
  folderClasses,
  probeClasses,
  type ProbeClass,
} from "../state/probe-classes.ts";
import { navigate, route } from "../state/navigation.ts";
import { currentImage } from "../state/tray.ts";
import { Icon } from "./icon.tsx";
import { OpenFiles } from "./open-files.tsx";

/** Thumbnails that are shown of a class. */
const mostShown = 24;

export function ProbeClasses() {
  const isFolders = folderClasses.value !== null;
  return (
    <div class="probe-classes">
      <h2>
        Classes <small>{isFolders ? "folders that were opened" : "groups of the tray’s images"}</small>
      </h2>
      <ul>
        {probeClasses.value.map((one, i) => (
          <ClassCard key={i} one={one} index={i} isFixed={isFolders} />
        ))}
      </ul>
      <div class="actions">
        {!isFolders && (
          <button type="button" onClick={addClass}>
            <Icon name="plus" /> Add a class
          </button>
        )}
        <OpenFiles text="Open folders of classes …" name="classes" accept="folder" />
        {(isFolders || route.value.classes !== null) && (
          <button
            type="button"
            onClick={() => {
              folderClasses.value = null;
              navigate({ classes: null });
            }}
          >
            Reset
          </button>
        )}
      </div>
    </div>
  );
}

interface Props {
  readonly one: ProbeClass;
  readonly index: number;
  readonly isFixed: boolean;
}

function ClassCard({ one: { name, images }, index, isFixed }: Props) {
  return (
    <li class="probe-class">
      <div class="probe-class-head">
        {isFixed ? (
          <b>{name}</b>
        ) : (
          <input
            type="text"
            aria-label={`Name of class ${index + 1}`}
            value={name}
            onChange={(event) => {
              const text = event.currentTarget.value.replace(/\s+/g, " ").trim();
              if (text !== "") changeClass(index, { name: text });
            }}
          />
        )}
        <span class="muted">{images.length}</span>
        {!isFixed && (
          <button
            type="button"
            class="remove"
            aria-label={`Remove the class ${name}`}
            onClick={() => {
              changeClass(index, null);
            }}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
      <ul class="class-images">
        {images.slice(0, mostShown).map(({ key, name: file, url }) => (
          <li>
            {isFixed ? (
              <img src={url} alt={file} loading="lazy" />
            ) : (
              <button
                type="button"
                aria-label={`Take ${file} out of ${name}`}
                title={`Take ${file} out`}
                onClick={() => {
                  changeClass(index, {
                    images: images.filter((image) => image.key !== key).map((image) => image.key),
                  });
                }}
              >
                <img src={url} alt="" />
              </button>
            )}
          </li>
        ))}
        {images.length > mostShown && <li class="muted">+ {images.length - mostShown}</li>}
      </ul>
      {!isFixed && (
        <button
          type="button"
          class="link"
          disabled={currentImage.value === null}
          onClick={() => {
            classifyCurrent(index);
          }}
        >
          Add the current image
        </button>
      )}
    </li>
  );
}
