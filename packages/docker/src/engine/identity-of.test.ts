import { expect, test } from 'vitest';
import { identityOf } from './identity-of.ts';

const ID = '0123456789abcdef'.repeat(4);

test('labels that no selector could name are left out', () => {
  const labels = {
    'com.docker.compose.service': 'web',
    'com.docker.compose.project.config_files': '/srv/app/compose.yml',
    'org.projectcalico.label.role': 'db',
    'not a key': 'x',
  };
  expect(identityOf({ id: ID, name: 'My_Web.1', labels })).toEqual({
    name: 'my-web-1',
    labels: {
      'com.docker.compose.service': 'web',
      'org.projectcalico.label.role': 'db',
      role: 'db',
    },
  });
});

test('a name of which nothing is left is the id', () => {
  expect(identityOf({ id: ID, name: '__', labels: {} })).toEqual({
    name: '0123456789ab',
    labels: {},
  });
});
