for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.rows[0].querySelectorAll("th").forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      const number = (text) => (text === "" || isNaN(text) ? null : Number(text));
      const order = (one, two) => {
        const [a, b] = [value(one), value(two)], [x, y] = [number(a), number(b)];
        if (x !== null && y !== null) return x - y;
        if (x !== null || y !== null) return x === null ? 1 : -1;
        return a.localeCompare(b);
      };
      const rows = [...table.tBodies[0].rows].sort((one, two) => (up ? 1 : -1) * order(one, two));
      table.tBodies[0].append(...rows);
    });
  });
}
