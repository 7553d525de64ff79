// A page of the site that signs its users in and out with next-auth's own client. The tests press
// nothing: they call what the package exports through window.client, and read what React shows.
//   ?required   the page is for signed-in users only
//   ?refetch=N  ask for the session every N seconds
import React from 'react';
import { createRoot } from 'react-dom/client';
import { SessionProvider, getCsrfToken, getProviders, getSession, signIn, signOut, useSession } from 'next-auth/react';

const parameters = new URLSearchParams(location.search);
const client = { getCsrfToken, getProviders, getSession, signIn, signOut, statuses: [] };
window.client = client;

function Who() {
  const { data, status, update } = useSession({ required: parameters.has('required') });
  client.update = update;
  if (client.statuses.at(-1) !== status) client.statuses.push(status);
  return (
    <main>
      <p id="status">{status}</p>
      <p id="name">{data?.user?.name}</p>
      <p id="expires">{data?.expires}</p>
    </main>
  );
}

createRoot(document.getElementById('root')).render(
  <SessionProvider refetchInterval={Number(parameters.get('refetch') || 0)}>
    <Who />
  </SessionProvider>,
);
