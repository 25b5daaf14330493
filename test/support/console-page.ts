/** The console in a real browser, as a person uses it: by roles and the words that are seen. */
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';

const axe = readFileSync(
  new URL('../../node_modules/axe-core/axe.min.js', import.meta.url),
  'utf8',
);

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** More controls are on no page. */
const mostStops = 200;

const desk = { width: 1_280, height: 720 };

export interface Opened {
  page: Page;
  /** Errors of the page, and what it wrote to its console as an error. */
  problems: string[];
  /** Requests to any other host than the server's. */
  elsewhere: string[];
}

/** A page at this path of the server, in a context of its own unless one is given. */
export async function openConsole(
  from: Browser | BrowserContext,
  url: string,
  path: string,
): Promise<Opened> {
  const page = await from.newPage(
    'newContext' in from ? { viewport: desk, reducedMotion: 'reduce' } : undefined,
  );
  page.setDefaultTimeout(30_000);
  const problems: string[] = [];
  const elsewhere: string[] = [];
  const note = (address: string) => {
    const { protocol, host } = new URL(address);
    if (!['data:', 'blob:'].includes(protocol) && host !== new URL(url).host) {
      elsewhere.push(address);
    }
  };
  page.on('request', (request) => note(request.url()));
  page.on('websocket', (socket) => note(socket.url()));
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${message.text()} at ${page.url()}`);
  });
  await page.goto(`${url}${path}`);
  return { page, problems, elsewhere };
}

/** Answers the page that asks for a key. */
export async function giveKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await page.keyboard.press('Enter');
}

/** Waits until nothing on the page is still being read. */
export async function untilRead(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null);
}

/** What axe finds wrong with the page as it is, by the rules of WCAG 2.2 AA. */
export async function violationsOf(page: Page): Promise<string[]> {
  const isThere = await page.evaluate(() => 'axe' in globalThis);
  if (!isThere) await page.evaluate(axe);
  return await page.evaluate(async (tags) => {
    const { violations } = await (globalThis as any).axe.run(document, {
      runOnly: tags,
      resultTypes: ['violations'],
    });
    return violations.flatMap(({ id, nodes }: any) =>
      nodes.map(({ html, failureSummary }: any) => `${id}: ${html} ${failureSummary}`),
    );
  }, rules);
}

/** What makes the page wider than what it is seen through, once it has settled. */
export async function tooWideOf(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    const { documentElement: whole, body } = document;
    // What observes its own size draws itself anew in the frames after a change.
    for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
    if (whole.scrollWidth <= whole.clientWidth) return [];
    const wide = [...body.querySelectorAll('*')].filter(
      (element) => element.getBoundingClientRect().right > whole.clientWidth,
    );
    return [body, ...wide].map(
      (element) => `${element.tagName} ${element.className}: ${element.textContent?.slice(0, 40)}`,
    );
  });
}

/** Controls of which a part cannot be seen or reached, since something beside them ends it. */
export async function cutOffOf(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const controls = 'a[href], button, input, select, textarea, summary, [role=menuitem]';
    /** How far to the left and right an element can be seen, or scrolled into sight. */
    const spanOf = (element: Element): [number, number] => {
      let [left, right] = [0, document.documentElement.clientWidth];
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
        const { overflowX } = getComputedStyle(at);
        if (overflowX === 'auto' || overflowX === 'scroll') return [-1e6, 1e6];
        if (overflowX === 'visible') continue;
        const box = at.getBoundingClientRect();
        [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      }
      return [left, right];
    };
    return [...document.querySelectorAll<HTMLElement>(controls)]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }))
      .filter((element) => {
        const box = element.getBoundingClientRect();
        // Of one pixel is what people who hear the page alone meet; what is above it comes by Tab.
        if (box.width < 4 || box.bottom < 0 || box.right < 0) return false;
        const [left, right] = spanOf(element);
        const isLong =
          element.tagName === 'BUTTON' && element.scrollWidth > element.clientWidth + 1;
        return isLong || box.left < left - 1 || box.right > right + 1;
      })
      .map((element) => `${element.tagName} ${element.className}: ${element.innerText}`);
  });
}

/**
 * Controls that are smaller than `px` in either direction; of a tick, its label. Links within a
 * sentence may be as high as that.
 */
export async function tooSmallOf(page: Page, px: number): Promise<string[]> {
  return await page.evaluate((least) => {
    const controls =
      'button, select, textarea, input, summary, a.button, nav a, [role=tab], [role=menuitem]';
    return [...document.querySelectorAll<HTMLElement>(controls)]
      .map((element) => {
        const isTick = element.matches('[type=checkbox], [type=radio]');
        return (isTick && (element as HTMLInputElement).labels?.[0]) || element;
      })
      .filter((element) => element.checkVisibility({ visibilityProperty: true }))
      .filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        // Of one pixel is what people who hear the page alone meet.
        return width > 4 && (width < least - 0.5 || height < least - 0.5);
      })
      .map((element) => {
        const { width, height } = element.getBoundingClientRect();
        return `${width} x ${height}: ${element.outerHTML.slice(0, 120)}`;
      });
  }, px);
}

/** Fields of smaller text than 16 px: Safari zooms into these on a phone. */
export async function zoomedFieldsOf(page: Page): Promise<string[]> {
  return await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('input, select, textarea')]
      .filter((field) => !field.matches('[type=checkbox], [type=radio], [type=file]'))
      .filter((field) => Number.parseFloat(getComputedStyle(field).fontSize) < 16)
      .map((field) => field.outerHTML.slice(0, 120)),
  );
}

/** Whether what has the focus, or the label that stands for it, has an outline in sight. */
export async function focusIsSeen(page: Page): Promise<boolean> {
  return await page.evaluate(() => {
    const at = document.activeElement;
    if (!at || at === document.body) return true;
    const marks = [at, at.closest('label')].filter((one) => one !== null);
    const isDrawn = (one: Element, part?: string) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(one, part);
      return outlineStyle !== 'none' && outlineWidth !== '0px';
    };
    return marks.some((one) => {
      const { width, height } = one.getBoundingClientRect();
      // A link that stands for its whole row has the outline of that.
      return (isDrawn(one) || isDrawn(one, '::after')) && width > 4 && height > 4;
    });
  });
}

/** Controls that Tab comes to, from the top of the page to its end, whose focus cannot be seen. */
export async function unseenFocusOf(page: Page): Promise<string[]> {
  const unseen: string[] = [];
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  for (let stops = 0; stops < mostStops; stops++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const { activeElement } = document;
      const seen = globalThis as typeof globalThis & { stops?: Set<Element> };
      seen.stops ??= new Set();
      if (!activeElement || activeElement === document.body) return null;
      if (seen.stops.has(activeElement)) return null;
      seen.stops.add(activeElement);
      return activeElement.outerHTML.slice(0, 100);
    });
    if (at === null) return unseen;
    if (!(await focusIsSeen(page))) unseen.push(at);
  }
  throw new Error(`More than ${mostStops} stops of Tab`);
}
