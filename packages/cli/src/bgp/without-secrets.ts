import type { SpeakerConfig } from '@overland/bgp';

/** The names of the passwords' files stay: who may read those may read them. */
export function withoutSecrets(config: SpeakerConfig): SpeakerConfig {
  const peers = config.peers.map((peer) =>
    peer.password && 'value' in peer.password
      ? { ...peer, password: { value: '(not shown)' } }
      : peer,
  );
  return { ...config, peers };
}
