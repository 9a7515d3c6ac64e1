/** Held-out accuracy by layer. */
import { navigate } from "../state/navigation.ts";
import { probeTap, probeTaps, probing, tapTitle } from "../state/probing.ts";
import { percent } from "./format.ts";
import { SaveTable } from "./save-table.tsx";

export function LayerBars() {
  const layers = new Map(probing.value!.layers.map(({ tap, fitted }) => [tap, fitted]));
  const taps = probeTaps.value;
  const isComplete = taps.every((tap) => layers.has(tap));
  return (
    <div class="layer-bars" data-layers={isComplete ? taps.length : undefined}>
      <table>
        <caption>
          Accuracy by layer <span class="muted">bar: held out; line: training</span>
        </caption>
        <tbody>
          {taps.map((tap) => {
            const fitted = layers.get(tap);
            const accuracy = fitted?.heldOut?.mean;
            return (
              <tr class={tap === probeTap.value ? "current" : ""} data-layer={tap}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    aria-pressed={tap === probeTap.value}
                    onClick={() => {
                      navigate({ probeTap: tap });
                    }}
                  >
                    {tapTitle(tap)}
                  </button>
                </th>
                <td>
                  {fitted === undefined ? (
                    <span class="bar hatched" />
                  ) : (
                    <span class="bar">
                      {accuracy !== undefined && <i style={{ width: `${100 * accuracy}%` }} />}
                      <b style={{ left: `${100 * fitted.trainingAccuracy}%` }} />
                    </span>
                  )}
                </td>
                <td class="value" data-accuracy={accuracy}>
                  {accuracy === undefined ? "–" : percent(accuracy)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <SaveTable
        name="layers"
        head={["tap", "held_out", "half_interval", "training"]}
        rows={() =>
          taps.map((tap) => {
            const fitted = layers.get(tap);
            const { mean = null, half = null } = fitted?.heldOut ?? {};
            return [tap, mean, half, fitted?.trainingAccuracy ?? null];
          })
        }
      />
    </div>
  );
}
