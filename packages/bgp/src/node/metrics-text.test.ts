import { expect, test } from 'vitest';
import { metricsText } from './metrics-text.ts';

test("writes Prometheus' text format, with labels escaped", () => {
  const text = metricsText([
    {
      name: 'overland_bgp_peer_up',
      help: 'Whether the\nsession is up.',
      type: 'gauge',
      samples: [{ labels: { peer: 'le"af\\1' }, value: 1 }, { value: 0.5 }],
    },
  ]);
  expect(text).toBe(
    '# HELP overland_bgp_peer_up Whether the\\nsession is up.\n# TYPE overland_bgp_peer_up gauge\n' +
      'overland_bgp_peer_up{peer="le\\"af\\\\1"} 1\noverland_bgp_peer_up 0.5\n',
  );
});
