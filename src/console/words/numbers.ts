/** Numbers, shares, money and times in the words of the page. Null is for what is not known. */
import { createStore, useStore } from '../data/store.ts';

const locale = navigator.language;
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });

export function count(value: number): string {
  return whole.format(value);
}

/** `127 M` for people who compare, the exact number being elsewhere. */
export function aboutCount(value: number): string {
  return value < 10_000 ? whole.format(value) : compact.format(value);
}

/** `share` is 0 to 1. 100% only where it is all, 0% only where it is nothing. */
export function percent(share: number, digits: 0 | 1 = 1): string {
  if (share > 0 && share < 0.001) return '<0.1%';
  const factor = digits === 1 ? 1_000 : 100;
  const rounded = share < 1 ? Math.min(Math.floor(share * factor), factor - 1) : factor;
  if (rounded === 0 && share > 0) return '<1%';
  const format = digits === 1 && rounded < factor ? oneDigit : whole;
  return `${format.format((rounded / factor) * 100)}%`;
}

const dollars = new Map<number, Intl.NumberFormat>();

/** Made once for each number of digits: that takes a hundred times as long as to use it. */
function dollarsOf(digits: number): Intl.NumberFormat {
  const made =
    dollars.get(digits) ??
    new Intl.NumberFormat(locale, {
      style: 'currency',
      currency: 'USD',
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: Math.min(digits, 2),
      maximumFractionDigits: digits,
    });
  dollars.set(digits, made);
  return made;
}

/** USD with two digits that count: $56.92, $0.0005. */
export function usd(value: number): string {
  const digits = value === 0 || Math.abs(value) >= 0.995 ? 2 : significantDigits(value);
  return dollarsOf(digits).format(value);
}

function significantDigits(value: number): number {
  return Math.min(12, Math.max(2, 1 - Math.floor(Math.log10(Math.abs(value)))));
}

/** `$88 to $95`, or one figure where both are the same in the digits shown. */
export function usdRange(low: number, high: number): string {
  const format = (value: number) => (high >= 20 ? dollarsOf(0).format(value) : usd(value));
  const [first, last] = [format(low), format(high)];
  return first === last ? first : `${first} to ${last}`;
}

/** `100 MB`; units are of 1,024, as in the documents and in the limits of the server. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${size < 10 && unit > 0 ? oneDigit.format(size) : whole.format(size)} ${units[unit]}`;
}

/** `9 s`, `1 min 48 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (seconds < 1) return '<1 s';
  if (seconds < 60) return `${whole.format(Math.floor(seconds))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    const rest = Math.floor(seconds % 60);
    return rest > 0 && minutes < 10 ? `${minutes} min ${rest} s` : `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 > 0 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** `<0.1 s`, `0.6 s`, and as `duration` from 10 s on. */
export function shortTime(seconds: number): string {
  if (seconds >= 10) return duration(seconds);
  return seconds < 0.1 ? '<0.1 s' : `${oneDigit.format(seconds)} s`;
}

export function perSecond(value: number): string {
  return `${value < 10 ? oneDigit.format(value) : whole.format(value)}/s`;
}

/** True where times are shown as this machine's clock has them, or in UTC. */
export const timeZone = createStore<'local' | 'utc'>(
  localStorage.getItem('winnow.times') === 'utc' ? 'utc' : 'local',
);

export function setTimeZone(zone: 'local' | 'utc'): void {
  localStorage.setItem('winnow.times', zone);
  timeZone.set(zone);
}

const timesOf: Partial<Record<'local' | 'utc', Times>> = {};

export function useTimes(): Times {
  const zone = useStore(timeZone);
  timesOf[zone] ??= timesIn(zone === 'utc' ? 'UTC' : undefined);
  return timesOf[zone];
}

export type Times = ReturnType<typeof timesIn>;

/** Instants in the words of a time zone; undefined: this machine's. */
function timesIn(zone: string | undefined) {
  const format = (options: Intl.DateTimeFormatOptions, of = locale) => {
    const made = new Intl.DateTimeFormat(of, { timeZone: zone, ...options });
    return (instant: string | Date) => made.format(new Date(instant));
  };
  const minutes = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const clock = format(minutes);
  const clockWithSeconds = format({ ...minutes, second: '2-digit' });
  const shortDay = format({ day: 'numeric', month: 'short' });
  const shortDayOfYear = format({ day: 'numeric', month: 'short', year: 'numeric' });
  const longDay = format({ day: 'numeric', month: 'long' });
  const exact = format({ dateStyle: 'long', timeStyle: 'long' });
  const isoDay = format({}, 'sv-SE');

  /** Whole days of the calendar from the first instant to the second. */
  function daysBetween(first: Date, second: Date): number {
    return Math.round((Date.parse(isoDay(second)) - Date.parse(isoDay(first))) / 86_400_000);
  }

  return {
    /** `14:02`, `yesterday`, `27 Nov`. */
    day(instant: string): string {
      const at = new Date(instant);
      const days = daysBetween(at, new Date());
      if (days === 0) return clock(at);
      if (days === 1) return 'yesterday';
      const thisYear = at.getFullYear() === new Date().getFullYear();
      return thisYear ? shortDay(at) : shortDayOfYear(at);
    },
    /** `14:02`, with the day before it where that is another: `tomorrow 09:40`. */
    soon(instant: string): string {
      const days = daysBetween(new Date(instant), new Date());
      if (days === 0) return clock(instant);
      if (days === -1) return `tomorrow ${clock(instant)}`;
      return `${longDay(instant)} ${clock(instant)}`;
    },
    /** `1 December`, with the time of the day where that is not midnight. */
    later(instant: string): string {
      const days = daysBetween(new Date(instant), new Date());
      if (days > -2 || clock(instant) !== '00:00') return this.soon(instant);
      return longDay(instant);
    },
    clock: (instant: string, seconds = false): string =>
      seconds ? clockWithSeconds(instant) : clock(instant),
    exact: (instant: string): string => exact(instant),
  };
}

/** `1 row`, `2 rows`. */
export function many(value: number, one: string, several = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : several}`;
}
