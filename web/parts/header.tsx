/** The frame's top: views, the state of the network, settings. */
import { Icon, type IconName } from "./icon.tsx";
import { openDialog } from "../state/derived.ts";
import { navigate, route } from "../state/navigation.ts";
import { model, queued, runsInServer } from "../state/network.ts";
import { imagePass, isCurrent, running, textPass } from "../state/session.ts";
import { theme, themes, type Theme } from "../state/settings.ts";
import { currentImage, currentText } from "../state/tray.ts";
import { Switch } from "./switch.tsx";
import { ViewMenu } from "./view-menu.tsx";

const themeIcons: Readonly<Record<Theme, IconName>> = { system: "system", light: "sun", dark: "moon" };

export function Header() {
  const nextTheme = themes[(themes.indexOf(theme.value) + 1) % themes.length]!;
  return (
    <header class="frame-head">
      <a class="brand" href="#/pass" aria-label="clipscope studio, start">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path class="image" d="M5 3v5c0 5 7 5 7 11" />
          <path class="text" d="M19 3v5c0 5-7 5-7 11" />
          <circle cx="12" cy="20" r="2" />
        </svg>
        <span>clipscope</span>
      </a>
      <div class="tools">
        <Status />
        {hasGpu && !runsInServer.value && <GpuSwitch />}
        <button
          type="button"
          class="plain"
          aria-label="Search values"
          title="Search values (/)"
          onClick={() => {
            openDialog.value = "search";
          }}
        >
          <Icon name="search" />
        </button>
        <button
          type="button"
          class="plain"
          aria-label={`Theme: ${theme.value}; change to ${nextTheme}`}
          title={`Theme: ${theme.value}`}
          onClick={() => {
            theme.value = nextTheme;
          }}
        >
          <Icon name={themeIcons[theme.value]} />
        </button>
        <button
          type="button"
          class="plain"
          aria-label="Help and keyboard shortcuts"
          title="Help (?)"
          onClick={() => {
            openDialog.value = "help";
          }}
        >
          <Icon name="help" />
        </button>
      </div>
      <ViewMenu />
      <button
        type="button"
        class="inputs-bar"
        onClick={() => {
          openDialog.value = "inputs";
        }}
      >
        {currentImage.value && <img src={currentImage.value.url} alt="" />}
        <span class="text">{currentText.value.text}</span>
        <span class="change">Change inputs</span>
      </button>
    </header>
  );
}

/** Browsers have no WebGPU on pages that are neither local nor served over HTTPS. */
const hasGpu = "gpu" in navigator;

function GpuSwitch() {
  return (
    <Switch
      label="GPU"
      title="Compute on the GPU, by WebGPU; else on the processor, by WebAssembly"
      isOn={route.value.backend === "webgpu"}
      onChange={(isOn) => {
        navigate({ backend: isOn ? "webgpu" : "wasm" });
      }}
    />
  );
}

/** Says where the shown values come from: stored, loading, or live with the time of the last pass. */
export function Status() {
  const state = model.value;
  if (state.status === "failed") return <span class="status failed">not loaded</span>;
  if (state.status === "lost") {
    return (
      <span class="status failed" role="status" title={state.reason}>
        server gone
      </span>
    );
  }
  if (state.status === "loading") {
    const part =
      state.total > 0 ? ` · loading ${Math.round((100 * state.loaded) / state.total)} %` : " · loading";
    return (
      <span
        class="status stored"
        role="status"
        title="The values are stored with the page until the network is loaded"
      >
        <span>
          stored<span class="more">{part}</span>
        </span>
      </span>
    );
  }
  const pass = running.value;
  if (pass !== null && pass.done > 0) {
    return (
      <span class="status busy" role="status" title={`${state.info.name}, ${state.info.backend}`}>
        <progress max={pass.total} value={pass.done} aria-label="Blocks of the image tower" />
        <span>
          block {pass.done}
          <span class="more"> of {pass.total}</span>
        </span>
        <button type="button" class="plain" aria-label="Cancel the pass" title="Cancel" onClick={pass.cancel}>
          <Icon name="close" />
        </button>
      </span>
    );
  }
  if (queued.value > 0 && !isCurrent.value) {
    return (
      <span class="status busy" role="status" title="The server runs one pass at a time">
        <span>
          waiting<span class="more">, {queued.value} before this</span>
        </span>
      </span>
    );
  }
  const time = (imagePass.value?.value.milliseconds ?? 0) + (textPass.value?.value.milliseconds ?? 0);
  const [backend] = state.info.backend.split(" ");
  return (
    <span
      class={`status live ${isCurrent.value ? "" : "busy"}`}
      role="status"
      title={`${state.info.name}, ${state.info.backend}; the time of the last two passes`}
    >
      <span>
        live
        <span class="more">
          {" "}
          · {runsInServer.value && <b class="source">{state.info.name}</b>}
          {runsInServer.value && " · "}
          {backend} · {time < 1000 ? `${time.toFixed(0)} ms` : `${(time / 1000).toFixed(1)} s`}
        </span>
      </span>
    </span>
  );
}
