/**
 * Tables whose cells change in place, so that what is selected or read aloud
 * stays. Whatever a server says is shown as text, never as a part of the page.
 *
 * @module
 */

/**
 * Shows rows.
 *
 * @param table The element.
 * @param columns Each with its name, and `number` or `text` for how it looks.
 * @param rows Of each cell its text, or what it is made of: `text`, `className`,
 * or `meter` for a bar.
 * @param nothing What is said where there are no rows.
 */
export function showTable(table, columns, rows, nothing) {
  if (!table.tHead) newTable(table, columns);
  const [body] = table.tBodies;
  const shown = rows.length > 0
    ? rows
    : [[{ text: nothing, className: "empty", span: columns.length }]];
  while (body.rows.length > shown.length) body.deleteRow(-1);
  shown.forEach((cells, at) => {
    const row = body.rows[at] ?? newRow(body);
    while (row.cells.length > cells.length) row.deleteCell(-1);
    cells.forEach((cell, column) => {
      const element = row.cells[column] ?? newCell(row);
      const { name, kind = "" } = columns[column];
      element.dataset.label = name;
      showCell(element, cell, kind);
    });
  });
}

// On a phone rows are laid out as blocks, and would be no rows to a screen
// reader any more: so all say what they are.

function newTable(table, columns) {
  table.setAttribute("role", "table");
  const row = newRow(table.createTHead());
  for (const { name, kind = "" } of columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.setAttribute("role", "columnheader");
    cell.textContent = name;
    cell.className = kind;
    row.append(cell);
  }
  table.createTBody();
}

function newRow(group) {
  const row = group.insertRow();
  group.setAttribute("role", "rowgroup");
  row.setAttribute("role", "row");
  return row;
}

function newCell(row) {
  const cell = row.insertCell();
  cell.setAttribute("role", "cell");
  return cell;
}

function showCell(element, cell, kind) {
  const { text, className = kind, span = 1, meter } = typeof cell === "object"
    ? cell
    : { text: cell };
  element.colSpan = span;
  element.className = className;
  if (meter) return showMeter(element, meter);
  if (element.textContent !== text) element.textContent = text;
}

function showMeter(element, { share, name }) {
  let bar = element.querySelector("meter");
  if (!bar) {
    bar = document.createElement("meter");
    bar.high = 0.9;
    bar.optimum = 0;
    element.replaceChildren(bar);
  }
  bar.value = share;
  bar.setAttribute("aria-label", name);
}
