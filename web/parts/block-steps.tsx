/** What attention and MLP add in each block, as bars from a common line. */
import { max } from "d3-array";
import type { BlockStep } from "../../lib/study/stream.ts";
import { percent, short } from "./format.ts";

interface Props {
  readonly steps: readonly BlockStep[];
}

export function BlockSteps({ steps }: Props) {
  const most = max(steps, ({ attention, mlp }) => Math.max(attention, mlp)) ?? 1;
  return (
    <table class="block-steps">
      <caption>
        Mean norm of what a block adds <span class="muted">longest bar {short(most)}</span>
      </caption>
      <thead>
        <tr>
          <th scope="col">block</th>
          <th scope="col" class="attention">
            attention
          </th>
          <th scope="col" class="mlp">
            MLP
          </th>
          <th scope="col" class="share">
            attention’s share
          </th>
        </tr>
      </thead>
      <tbody>
        {steps.map(({ attention, mlp, attentionShare }, i) => (
          <tr>
            <th scope="row">{i}</th>
            <td class="attention">
              <i style={{ width: `${(60 * attention) / most}%` }} />
              {short(attention)}
            </td>
            <td class="mlp">
              <i style={{ width: `${(60 * mlp) / most}%` }} />
              {short(mlp)}
            </td>
            <td class="share">{percent(attentionShare)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
