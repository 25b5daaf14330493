/** Node's flags of `npm run serve`, so that what is measured runs as a production server does. */
import packageJson from '../../package.json' with { type: 'json' };

export const startFlags: readonly string[] = packageJson.scripts.serve.match(/--\S+/g) ?? [];
