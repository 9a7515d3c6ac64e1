/** The numbers of a map as a table, for those who do not see the map, and for reading them off. */
import { shownTable } from "../state/shown-table.ts";
import { Dialog } from "./dialog.tsx";
import { short } from "./format.ts";

export function TableDialog() {
  const table = shownTable.value;
  if (table === null) return null;
  const { title, matrix, rowNames, columnNames } = table;
  const { rows, columns, values } = matrix;
  return (
    <Dialog title={title} class="table-dialog">
      <div class="table-box" tabIndex={0} role="region" aria-label={title}>
        <table class="figures">
          <thead>
            <tr>
              <td />
              {Array.from({ length: columns }, (_, i) => (
                <th scope="col">{columnNames?.[i] ?? i}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: rows }, (_, row) => (
              <tr>
                <th scope="row">{rowNames?.[row] ?? row}</th>
                {Array.from({ length: columns }, (_, column) => (
                  <td>{short(values[row * columns + column]!)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}
