// What Next is told about the app under attack.
import type { NextConfig } from 'next';

const config: NextConfig = { poweredByHeader: false, typescript: { ignoreBuildErrors: true } };

export default config;
