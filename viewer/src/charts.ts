// Line charts, drawn by uPlot in the colours of the page.

import uPlot from "uplot";
import { theme } from "./colours.js";
import { figure, h } from "./dom.js";

export interface Line {
  label: string;
  values: (number | null)[];
  colour: string;
  stepped?: boolean;
  points?: boolean;
  dashed?: boolean;
}

interface Options {
  height?: number;
  range?: [number, number];
  /** Called with the x value that was clicked. */
  pick?: (x: number) => void;
  xLabel?: string;
}

/** Returns an element that holds a chart and follows its width. */
export function lineChart(xs: number[], lines: Line[], options: Options = {}): HTMLElement {
  const t = theme();
  const height = options.height ?? 150;
  const holder = h("div", "chart");
  const axis: uPlot.Axis = {
    stroke: t.soft,
    grid: { stroke: t.line, width: 1 },
    ticks: { show: false },
    font: "10px system-ui, sans-serif",
    size: 24,
    gap: 3,
  };
  const chart = new uPlot(
    {
      width: 300,
      height,
      padding: [8, 10, 0, 0],
      scales: { x: { time: false }, y: options.range ? { range: options.range } : {} },
      axes: [
        { ...axis, ...(options.xLabel ? { label: options.xLabel, labelSize: 14, labelFont: "10px system-ui, sans-serif" } : {}) },
        { ...axis, size: 36, values: (_, ticks) => ticks.map((tick) => figure(tick)) },
      ],
      legend: { live: true },
      cursor: { points: { size: 6 }, y: false },
      series: [
        { label: options.xLabel ?? "step" },
        ...lines.map(
          (line): uPlot.Series => ({
            label: line.label,
            stroke: line.colour,
            width: 1.8,
            spanGaps: true,
            ...(line.dashed ? { dash: [4, 3] } : {}),
            points: { show: line.points ?? false, size: 5, fill: line.colour },
            ...(line.stepped ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
            value: (_, value) => figure(value),
          }),
        ),
      ],
    },
    [xs, ...lines.map((line) => line.values)] as uPlot.AlignedData,
    holder,
  );
  if (options.pick) {
    chart.over.addEventListener("click", () => {
      const place = chart.cursor.idx;
      if (place !== null && place !== undefined) options.pick!(xs[place]!);
    });
    chart.over.style.cursor = "pointer";
  }
  new ResizeObserver(() => {
    const width = holder.clientWidth;
    if (width > 40) chart.setSize({ width, height });
  }).observe(holder);
  return holder;
}
