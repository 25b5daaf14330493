/** The pace over time, with the failures in it and the longest stop. */
import { memo, useEffect, useRef, useState } from 'react';
import type UPlot from 'uplot';
import { useStore } from '../../../data/store.ts';
import { duration, perSecond, timeZone, useTimes } from '../../../words/numbers.ts';
import { ChartCard } from './chart-card.tsx';
import { type Pace, paceOf, type TimelinePoint } from './sums.ts';
import { useColours } from './use-colours.ts';
import 'uplot/dist/uPlot.min.css';

type Plot = typeof UPlot;

/** Weighs as much as all pages together: it is fetched for the first chart. */
let drawing: Promise<Plot> | null = null;

const heightPx = 142;
const font = '10.5px "Inter Variable", system-ui, sans-serif';

export const PaceChart = memo(function PaceChart({
  timeline,
}: {
  timeline: readonly TimelinePoint[];
}) {
  const times = useTimes();
  const pace = paceOf(timeline);
  const clock = (seconds: number) => times.clock(new Date(seconds * 1_000).toISOString(), true);
  const drawn = pace.at.length >= 3;
  return (
    <ChartCard
      title="Items a second"
      columns={['from', 'answers', 'failed', 'pace']}
      rows={timeline.map(({ at, succeeded, failed, seconds }) => [
        times.clock(at, true),
        String(succeeded + failed),
        String(failed),
        perSecond((succeeded + failed) / seconds),
      ])}
    >
      {drawn ? (
        <div role="img" aria-label={sentenceOf(pace, clock)} className="pace">
          <Canvas pace={pace} />
          {pace.stop && (
            <p className="small soft">
              {duration(pace.stop.seconds)} without an answer at {clock(pace.stop.from)}
            </p>
          )}
        </div>
      ) : (
        <p className="soft chart-words">{shortSentence(timeline)}</p>
      )}
    </ChartCard>
  );
});

function sentenceOf({ at, all, stop }: Pace, clock: (seconds: number) => string): string {
  const [first = 0] = at;
  const step = (at[1] ?? 1) - (at[0] ?? 0);
  // The stop is said apart.
  const steps = Math.max(1, all.length - (stop?.seconds ?? 0) / step);
  const mean = all.reduce((sum, one) => sum + one, 0) / steps;
  const stopped = stop
    ? `, with a stop of ${duration(stop.seconds)} at ${clock(stop.from)}`
    : ', without a stop';
  return `Items a second since ${clock(first)}: about ${perSecond(mean)} on average${stopped}`;
}

function shortSentence(timeline: readonly TimelinePoint[]): string {
  const seconds = timeline.reduce((sum, point) => sum + point.seconds, 0);
  if (timeline.length === 0) return 'No answer so far.';
  return `All answers came within ${duration(seconds)}: too short for a chart.`;
}

/** Null until it is there. Where it cannot be fetched, the chart can still be read as a table. */
function usePlot(): Plot | null {
  const [plot, setPlot] = useState<Plot | null>(null);
  useEffect(() => {
    drawing ??= import('uplot').then(({ default: made }) => made);
    let wanted = true;
    drawing.then(
      (made) => wanted && setPlot(() => made),
      () => {
        drawing = null;
      },
    );
    return () => {
      wanted = false;
    };
  }, []);
  return plot;
}

function Canvas({ pace }: { pace: Pace }) {
  const Plot = usePlot();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const colours = useColours();
  const zone = useStore(timeZone);
  const [width, setWidth] = useState(0);
  const latest = useRef(pace);
  latest.current = pace;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      setWidth(Math.floor(entry?.contentRect.width ?? 0));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const hasWidth = width > 0;
  useEffect(() => {
    const element = place.current;
    if (!element || !hasWidth || !Plot) return;
    const axis = {
      stroke: colours.soft,
      font,
      ticks: { show: false },
      grid: { stroke: colours.line, width: 1 },
    };
    const made = new Plot(
      {
        width: element.clientWidth,
        height: heightPx,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 8, 0, 0],
        ...(zone === 'utc'
          ? { tzDate: (at: number) => Plot.tzDate(new Date(at * 1e3), 'UTC') }
          : {}),
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
        axes: [
          {
            ...axis,
            size: 24,
            grid: { show: false },
            incrs: wholeSteps,
            values: shortTimes,
            space: 64,
          },
          { ...axis, size: 44, space: 28 },
        ],
        series: [
          {},
          { stroke: colours.grain, fill: colours.grainSoft, width: 1.6, points: { show: false } },
          { stroke: colours.bad, fill: colours.bad, width: 1, points: { show: false } },
        ],
      },
      dataOf(latest.current),
      element,
    );
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [Plot, hasWidth, colours, zone]);

  useEffect(() => {
    if (hasWidth) plot.current?.setSize({ width, height: heightPx });
  }, [width, hasWidth]);
  const { at } = pace;
  const stamp = `${at[0]} ${at.length} ${pace.all.join()}`;
  useEffect(() => plot.current?.setData(dataOf(latest.current)), [stamp]);

  return <div ref={place} className="pace-canvas" style={{ height: heightPx }} />;
}

function dataOf({ at, all, failed }: Pace): UPlot.AlignedData {
  return [at, all, failed];
}

const [minute, hour, day] = [60, 3_600, 86_400];
/** Between two times of the axis, in seconds: a clock says the same of shorter steps twice. */
const wholeSteps = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 7, 14, 30].map((days) => days * day),
];

const shortTimes: UPlot.Axis.Values = (plot, splits) => {
  const [first = 0, last = 0] = [splits[0], splits.at(-1)];
  const step = splits.length > 1 ? (last - first) / (splits.length - 1) : 60;
  const zone = plot.axes.length > 0 && timeZone.get() === 'utc' ? 'UTC' : undefined;
  return splits.map((at) => {
    const date = new Date(at * 1_000);
    if (step >= day) {
      return date.toLocaleDateString(navigator.language, {
        timeZone: zone,
        day: 'numeric',
        month: 'short',
      });
    }
    return date.toLocaleTimeString(navigator.language, {
      timeZone: zone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      ...(step < minute ? { second: '2-digit' } : {}),
    });
  });
};
