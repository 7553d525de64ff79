'use strict';
// Members of a replica set of MongoDB, as clients see them, over one server that is none: each
// listens on a port of its own, says in its hello who is primary, and passes commands on. There are
// transactions as far as clients can tell: what they send is noted and checked, but an abort undoes
// nothing. Where the real server is to be had, this is not needed.
const net = require('node:net');

const OP_MSG = 2013;
const OP_QUERY = 2004;
const OP_REPLY = 1;

// One message after the other from a stream of bytes.
function messagesOf(socket, take) {
  let waiting = Buffer.alloc(0);
  socket.on('data', (data) => {
    waiting = Buffer.concat([waiting, data]);
    while (waiting.length >= 16 && waiting.length >= waiting.readInt32LE(0)) {
      const length = waiting.readInt32LE(0);
      take(waiting.subarray(0, length));
      waiting = waiting.subarray(length);
    }
  });
}

const headerOf = (message) => ({ id: message.readInt32LE(4), to: message.readInt32LE(8), code: message.readInt32LE(12) });

function withHeader({ id, to, code }, body) {
  const header = Buffer.alloc(16);
  [16 + body.length, id, to, code].forEach((value, i) => header.writeInt32LE(value, 4 * i));
  return Buffer.concat([header, body]);
}

// The document of an OP_MSG, and the sequences of documents that may follow it.
function bodyOf(BSON, message) {
  const start = 21;
  const length = message.readInt32LE(start);
  return { document: BSON.deserialize(message.subarray(start, start + length), { promoteValues: false, promoteLongs: false }), rest: message.subarray(start + length) };
}

function opMsg(BSON, header, document, rest = Buffer.alloc(0)) {
  return withHeader({ ...header, code: OP_MSG }, Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), Buffer.from(BSON.serialize(document)), rest]));
}

const ofTransactions = ['lsid', 'txnNumber', 'startTransaction', 'autocommit', '$clusterTime', 'readConcern'];
const writes = ['insert', 'update', 'delete', 'findAndModify', 'createIndexes', 'create', 'drop', 'commitTransaction'];

/*
 * A set of `count` members before the server at `port`, of which the first is primary. Gives
 *   url(database)      of all of them
 *   primary(index)     makes another one primary; -1: there is none
 *   transactions()     what became of each: ['commit', 'abort', …]
 *   answerNext(name, document)   the next command of this name gets this answer, and goes no further
 *   asked(index)       names of commands that this member has passed on
 */
async function startReplicaSet(t, { port, count = 2 }) {
  const { BSON } = await import('mongodb');
  const members = [];
  const ended = [];
  const answers = new Map();
  let primary = 0;
  let elections = 1;

  const helloOf = (index) => ({
    helloOk: true, ismaster: index === primary, isWritablePrimary: index === primary, secondary: index !== primary, setName: 'rs', setVersion: 1,
    hosts: members.map((member) => `localhost:${member.port}`), me: `localhost:${members[index].port}`,
    ...(primary >= 0 && { primary: `localhost:${members[primary].port}` }),
    ...(index === primary && { electionId: new BSON.ObjectId(String(elections).padStart(24, '0')) }),
    maxBsonObjectSize: 16777216, maxMessageSizeBytes: 48000000, maxWriteBatchSize: 100000, logicalSessionTimeoutMinutes: 30,
    minWireVersion: 0, maxWireVersion: 17, readOnly: false, ok: 1,
  });

  function ownAnswer(index, name, document) {
    if (['hello', 'ismaster', 'isMaster'].includes(name)) return helloOf(index);
    if (answers.has(name)) {
      const answer = answers.get(name);
      answers.delete(name);
      return answer;
    }
    if (index !== primary && writes.includes(name)) return { ok: 0, code: 10107, codeName: 'NotWritablePrimary', errmsg: 'not primary' };
    if (index !== primary && (document.$readPreference?.mode ?? 'primary') === 'primary' && ['find', 'aggregate'].includes(name)) return { ok: 0, code: 13435, codeName: 'NotPrimaryNoSecondaryOk', errmsg: 'not primary' };
    if (name === 'commitTransaction' || name === 'abortTransaction') {
      ended.push(name.replace('Transaction', ''));
      return { ok: 1 };
    }
    return name === 'endSessions' ? { ok: 1 } : null;
  }

  function take(index, client, server, message) {
    const header = headerOf(message);
    if (header.code === OP_QUERY) { // the hello of old
      const flags = Buffer.alloc(20);
      flags.writeInt32LE(8, 0);
      flags.writeInt32LE(1, 16);
      client.write(withHeader({ id: header.id + 1, to: header.id, code: OP_REPLY }, Buffer.concat([flags, Buffer.from(BSON.serialize(helloOf(index)))])));
      return;
    }
    const { document, rest } = bodyOf(BSON, message);
    const [name] = Object.keys(document);
    const answer = ownAnswer(index, name, document);
    if (answer) {
      client.write(opMsg(BSON, { id: header.id + 1, to: header.id }, answer));
      return;
    }
    members[index].asked.push(name);
    for (const field of ofTransactions) delete document[field];
    server.write(opMsg(BSON, header, document, rest));
  }

  async function addMember(index) {
    const sockets = new Set();
    const listener = net.createServer((client) => {
      const server = net.connect(port, '127.0.0.1');
      for (const socket of [client, server]) {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => { client.destroy(); server.destroy(); sockets.delete(socket); });
      }
      messagesOf(client, (message) => take(index, client, server, message));
      server.on('data', (data) => client.write(data));
    });
    await new Promise((resolve) => { listener.listen(0, '127.0.0.1', resolve); });
    members.push({ port: listener.address().port, asked: [], sockets });
    t.cleanup(() => new Promise((resolve) => {
      listener.close(resolve);
      for (const socket of sockets) socket.destroy();
    }));
  }
  for (let i = 0; i < count; i++) await addMember(i);

  return {
    url: (database, options = '') => `mongodb://${members.map((member) => `localhost:${member.port}`).join(',')}/${database}?replicaSet=rs${options}`,
    // as servers do, connections end with their role
    primary: (index) => {
      primary = index;
      elections += 1;
      for (const member of members) for (const socket of member.sockets) socket.destroy();
    },
    transactions: () => [...ended],
    answerNext: (name, document) => answers.set(name, document),
    asked: (index) => [...members[index].asked],
  };
}

module.exports = { startReplicaSet };
