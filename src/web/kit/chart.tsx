import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import { BarChart, CustomChart, LineChart, SankeyChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { EChartsCoreOption } from "echarts/core";

echarts.use([
  LineChart,
  BarChart,
  SankeyChart,
  CustomChart,
  GridComponent,
  TooltipComponent,
  LegendComponent,
  MarkLineComponent,
  AriaComponent,
  SVGRenderer,
]);

/** Draws a chart's options. `label` says in words what it shows; the table beneath has every number. */
export default function Chart({
  options,
  label,
  height,
  clicked,
}: {
  options: EChartsCoreOption;
  label: string;
  height: number;
  /** A point of it was clicked; whatever that does can be reached by keyboard elsewhere. */
  clicked?: ((at: { series: string; place: number; item: string }) => void) | undefined;
}) {
  const box = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme("light");
  useEffect(() => {
    if (box.current === null) return undefined;
    const chart = echarts.init(box.current, scheme === "dark" ? "dark" : undefined, { renderer: "svg" });
    chart.setOption({ backgroundColor: "transparent", animation: false, aria: { enabled: false }, ...options });
    if (clicked !== undefined)
      chart.on("click", ({ seriesName, dataIndex, name }) =>
        clicked({ series: seriesName ?? "", place: dataIndex, item: name }),
      );
    const watch = new ResizeObserver(() => chart.resize());
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      chart.dispose();
    };
  }, [options, scheme, clicked]);
  return <div ref={box} role="img" aria-label={label} style={{ height, width: "100%" }} />;
}
