#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const { suite } = require('./lib/suite.js');
const { keepsCertificates } = require('./lib/certificates.js');
const { freePort, until } = require('./lib/httpd.js');
const { makeCertificates, startMail, startService, startSender, signatureOf } = require('./lib/mail.js');

const FROM = 'Bücher & Söhne. <no-reply@example.org>';
const LINK = `https://example.org/api/auth/callback/email?callbackUrl=${encodeURIComponent('https://example.org/a?b=c')}&token=${'0123456789abcdef'.repeat(4)}&email=ada%40example.org`;
const MESSAGE = {
  to: 'ada@example.org',
  subject: 'Sign in to bücher.example – ✓ today, or whenever you like, as long as the link is valid',
  text: `Sign in to bücher.example\n${LINK}\n\n.\n..leading dots = and equals\n\ntrailing space \nend\n`,
  html: `<!doctype html><p>Grüße</p><a href="${LINK.replaceAll('&', '&amp;')}">Sign in</a>\n`,
};
const PASSWORD = 'p@ss:w/rd%✓';
const USER = `ada%40example.org:${encodeURIComponent(PASSWORD)}@`;

function sent(t, answer, name) {
  return t.is(answer.error, null, name);
}

function refused(t, answer, temporary, pattern, name) {
  t.like(answer.error || '', pattern, name);
  return t.is(answer.temporary, temporary, temporary ? 'a later attempt may succeed' : 'no later attempt would');
}

async function arrives(t, server, what) {
  const { raw, parsed, envelope } = await server.last();
  t.is([envelope.mailFrom.address, envelope.rcptTo.map((to) => to.address)], ['no-reply@example.org', ['ada@example.org']], `${what}: the envelope`);
  t.is(parsed.from.value, [{ address: 'no-reply@example.org', name: 'Bücher & Söhne.' }], `${what}: the sender's name`);
  t.is(parsed.to.text, 'ada@example.org', `${what}: the recipient`);
  t.is(parsed.subject, MESSAGE.subject, `${what}: the subject`);
  t.is(parsed.text.trimEnd(), MESSAGE.text.trimEnd(), `${what}: the text`);
  t.is(parsed.html ? parsed.html.trim() : false, MESSAGE.html.trim(), `${what}: the HTML`);
  t.like(parsed.messageId, /^<[0-9a-f-]{36}@example\.org>$/, `${what}: a message id`);
  t.ok(Math.abs(parsed.date - Date.now()) < 60_000, `${what}: the date`);
  t.is(parsed.headers.get('auto-submitted'), 'auto-generated', `${what}: nobody's absence is answered`);
  t.is(raw.split('\r\n').filter((line) => (line.length > 76 && !line.startsWith('Content-Type: multipart/')) || !/^[\x20-\x7e\t]*$/.test(line)), [], `${what}: short lines of ASCII`);
}

async function encrypted(t) {
  const certificates = makeCertificates(t);
  const starttls = await startMail(t, { tls: 'starttls', certificates, user: 'ada@example.org', password: PASSWORD });
  const smtps = await startMail(t, { tls: 'smtps', certificates, user: 'ada@example.org', password: PASSWORD });
  const options = { from: FROM, caFile: certificates.ca };

  t.section('STARTTLS and SMTPS, with a CA of one\'s own');
  for (const [server, url] of [[starttls, `${starttls.url(USER)}?tls=starttls`], [smtps, smtps.url(USER)]]) {
    const sender = await startSender(t, url, options);
    sent(t, await sender.send(MESSAGE), 'a mail is sent');
    await arrives(t, server, url.split(':')[0]);
    t.ok(server.mails[0].secure && server.mails[0].user === 'ada@example.org', 'encrypted, by the user');
  }

  t.section('the CA certificates, read once');
  {
    const own = makeCertificates(t);
    const server = await startMail(t, { tls: 'starttls', certificates: own });
    const sender = await startSender(t, `${server.url()}?tls=starttls`, { from: FROM, caFile: own.ca });
    sent(t, await sender.send(MESSAGE), 'a mail is sent');
    fs.writeFileSync(own.ca, 'no certificates\n');
    const readOnce = 'the next one needs no file';
    if (keepsCertificates()) sent(t, await sender.send(MESSAGE), readOnce);
    else t.skip(readOnce, 'libcurl does not keep them');
    const anew = await startSender(t, `${server.url()}?tls=starttls`, { from: FROM, caFile: own.ca });
    refused(t, await anew.send(MESSAGE), false, /certificate/, 'another process reads it');
  }

  t.section('what must not be');
  const stranger = await startSender(t, `${starttls.url(USER)}?tls=starttls`, { from: FROM });
  refused(t, await stranger.send(MESSAGE), false, /certificate/, 'a certificate of a CA that nobody trusts');
  const other = makeCertificates(t, 'DNS:other.example');
  const elsewhere = await startMail(t, { tls: 'smtps', certificates: other });
  const sender = await startSender(t, elsewhere.url(), { from: FROM, caFile: other.ca });
  refused(t, await sender.send(MESSAGE), false, /certificate|SSL/, 'a certificate for another name');
  const wrong = await startSender(t, `${smtps.url('ada%40example.org:wrong@')}`, options);
  refused(t, await wrong.send(MESSAGE), false, /denied|535|[Ll]ogin/, 'a wrong password');
  const clear = await startMail(t, { tls: 'none' });
  const stripped = await startSender(t, `${clear.url(USER)}?tls=starttls`, options);
  refused(t, await stripped.send(MESSAGE), false, /STARTTLS|SSL/, 'a server that does not offer STARTTLS');
  t.is([elsewhere.attempts, clear.attempts], [0, 0], 'nothing was said to either');
  t.is([starttls.mails.length, smtps.mails.length], [1, 1], 'nothing arrived');
}

async function answersOfServers(t) {
  t.section('a server of this machine, without TLS');
  const server = await startMail(t, { tls: 'none' });
  const sender = await startSender(t, server.url(), { from: FROM, timeoutMs: 1000 });
  sent(t, await sender.send(MESSAGE), 'a mail is sent');
  await arrives(t, server, 'clear');
  sent(t, await sender.send({ ...MESSAGE, html: undefined, from: 'x@example.org', id: 'my-id' }), 'text alone, another sender, an id');
  const { parsed } = await server.last();
  t.is([parsed.html, parsed.from.text, parsed.messageId], [false, 'x@example.org', '<my-id@example.org>'], 'arrives as that');
  t.is(parsed.text.trimEnd(), MESSAGE.text.trimEnd(), 'with its text');

  t.section('refusals');
  for (const [command, code, temporary] of [['MAIL', 451, true], ['RCPT', 450, true], ['RCPT', 550, false],
    ['DATA', 452, true], ['DATA', 554, false], ['MAIL', 421, true]]) {
    server.answers[command] = [code];
    refused(t, await sender.send(MESSAGE), temporary, new RegExp(`^mail server localhost port ${server.port}: .`), `${code} to ${command}`);
  }
  for (const to of ['ada@example.org\r\nRCPT TO:<eve@example.org>', 'ada@example.org,eve@example.org', 'ada@b@c.org', '"ada"@example.org']) {
    refused(t, await sender.send({ ...MESSAGE, to }), false, /invalid recipient/, `to ${JSON.stringify(to)}`);
  }
  refused(t, await sender.send({ ...MESSAGE, subject: 'a\r\nBcc: eve@example.org' }), false, /subject/, 'a subject of two lines');
  t.is(server.mails.length, 2, 'none of these arrived');

  t.section('servers that are slow or gone');
  server.slow = 60_000;
  const late = await sender.send(MESSAGE);
  refused(t, late, true, /: timed out$/, 'a server that takes too long');
  t.ok(late.ms < 30_000, 'is not waited for', `${late.ms} ms`);
  const gone = await startSender(t, `smtp://localhost:${await freePort()}`, { from: FROM });
  refused(t, await gone.send(MESSAGE), true, /connect/, 'a server that is not there');
  const hangsUp = net.createServer((socket) => socket.end());
  await new Promise((resolve) => { hangsUp.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => hangsUp.close());
  const dropped = await startSender(t, `smtp://127.0.0.1:${hangsUp.address().port}`, { from: FROM });
  refused(t, await dropped.send(MESSAGE), true, /./, 'a server that hangs up');
}

// The server shows domains in letters; what it was sent is in the header, which has the same address.
async function beyondAscii(t) {
  t.section('addresses beyond ASCII: a server that offers SMTPUTF8');
  const certificates = makeCertificates(t);
  const clear = await startMail(t, { tls: 'none' });
  const starttls = await startMail(t, { tls: 'starttls', certificates, user: 'ada@example.org', password: PASSWORD });
  for (const [server, url] of [[clear, clear.url()], [starttls, `${starttls.url(USER)}?tls=starttls`]]) {
    const sender = await startSender(t, url, { from: FROM, ...server === starttls && { caFile: certificates.ca } });
    for (const [to, reached, utf8] of [['jörg@example.org', 'jörg@example.org', true], ['用户@xn--fsq.example', '用户@例.example', true], ['ada@xn--bcher-kva.example', 'ada@bücher.example', false], ['ada@example.org', 'ada@example.org', false]]) {
      sent(t, await sender.send({ ...MESSAGE, to }), `a mail to ${to}`);
      const { raw8, parsed, envelope } = await server.last();
      t.is([envelope.rcptTo.map(({ address }) => address), envelope.smtpUtf8], [[reached], utf8], `arrives, ${utf8 ? 'with' : 'without'} SMTPUTF8`);
      t.is([/^To: (.*)\r$/m.exec(raw8.toString('utf8'))[1], parsed.subject], [to, MESSAGE.subject], 'its header has the address as it is');
    }
  }
  const idn = await startSender(t, clear.url(), { from: 'Bücher <post@Bücher.example>' });
  sent(t, await idn.send(MESSAGE), 'a sender\'s domain with an umlaut');
  t.like((await clear.last()).raw, /^From: =\?UTF-8\?B\?[\w=]+\?= <post@xn--bcher-kva\.example>\r$/m, 'is in ASCII');

  t.section('a server without SMTPUTF8');
  for (const options of [{ tls: 'none', ascii: true }, { tls: 'starttls', ascii: true, certificates, user: 'ada@example.org', password: PASSWORD }, { tls: 'none', ascii: true, old: true }]) {
    const server = await startMail(t, options);
    const sender = await startSender(t, options.user ? `${server.url(USER)}?tls=starttls` : server.url(), { from: FROM, ...options.user && { caFile: certificates.ca } });
    refused(t, await sender.send({ ...MESSAGE, to: 'jörg@example.org' }), false, new RegExp(`^mail server localhost port ${server.port} does not support SMTPUTF8, which the recipient's email address requires$`), `${options.old ? 'HELO' : options.tls}: is not sent the address`);
    t.is([server.attempts, server.recipients], [1, []], 'nor anything else');
    sent(t, await sender.send({ ...MESSAGE, to: 'ada@xn--bcher-kva.example' }), 'a domain alone does not need it');
    sent(t, await sender.send(MESSAGE), 'nor does ASCII');
    await sender.queue(1);
    await sender.put({ ...MESSAGE, to: 'jörg@example.org' });
    await done(sender, ['failed', 1]);
    t.like(sender.log.at(-1), /^warning: mail to j\*\*\*@example\.org given up: mail server .* does not support SMTPUTF8/, 'the log says why it is given up');
    await sender.stop();
  }

  t.section('services get the address as it is');
  const service = await startService(t);
  for (const [transport, options] of [['sendgrid', {}], ['resend', {}], ['postmark', {}], ['mailgun', { domain: 'mg.example.org' }]]) {
    const sender = await startSender(t, transport, { from: FROM, apiKey: 'key', baseUrl: service.url, ...options });
    sent(t, await sender.send({ ...MESSAGE, to: 'jörg@xn--bcher-kva.example' }), transport);
    const { body } = service.last();
    t.like(transport === 'mailgun' ? new URLSearchParams(body).get('to') : body, /jörg@xn--bcher-kva\.example/, 'in UTF-8');
  }
}

async function fromService(t, transport, options, usual) {
  const service = await startService(t, usual);
  const sender = await startSender(t, transport, { from: FROM, baseUrl: service.url, timeoutMs: 1000, ...options });
  sent(t, await sender.send(MESSAGE), `${transport} takes a mail`);
  return { service, sender, request: service.last() };
}

async function refusals(t, { service, sender }, answer) {
  service.answers.push([400, answer('bad request')], [422, answer('ada@example.org is not known')], [429, 'slow down'], [503, '<html>'], [302, '']);
  refused(t, await sender.send(MESSAGE), false, /returned status 400: bad request$/, '400');
  refused(t, await sender.send(MESSAGE), false, /returned status 422$/, '422, the words of which have an address');
  refused(t, await sender.send(MESSAGE), true, /returned status 429$/, '429');
  refused(t, await sender.send(MESSAGE), true, /returned status 503$/, '503');
  refused(t, await sender.send(MESSAGE), false, /returned status 302$/, '302');
  const before = service.requests.length;
  refused(t, await sender.send({ ...MESSAGE, to: 'a@b.org,c@d.org' }), false, /invalid recipient/, 'two recipients');
  t.is(service.requests.length, before, 'without a request');
}

async function services(t) {
  t.section('SendGrid');
  const sendgrid = await fromService(t, 'sendgrid', { apiKey: 'SG.key' }, [202, '']);
  t.is([sendgrid.request.method, sendgrid.request.url], ['POST', '/v3/mail/send'], 'where it goes');
  t.is([sendgrid.request.headers.authorization, sendgrid.request.headers['content-type']], ['Bearer SG.key', 'application/json'], 'its headers');
  t.is(JSON.parse(sendgrid.request.body), {
    personalizations: [{ to: [{ email: 'ada@example.org' }] }],
    from: { email: 'no-reply@example.org', name: 'Bücher & Söhne.' },
    subject: MESSAGE.subject,
    content: [{ type: 'text/plain', value: MESSAGE.text }, { type: 'text/html', value: MESSAGE.html }],
    tracking_settings: { click_tracking: { enable: false, enable_text: false }, open_tracking: { enable: false } },
  }, 'its body');
  await refusals(t, sendgrid, (message) => ({ errors: [{ message, field: null }] }));

  t.section('Resend');
  const resend = await fromService(t, 'resend', { apiKey: 're_key' });
  t.is([resend.request.method, resend.request.url], ['POST', '/emails'], 'where it goes');
  t.is([resend.request.headers.authorization, resend.request.headers['content-type']], ['Bearer re_key', 'application/json'], 'its headers');
  t.is(JSON.parse(resend.request.body), { from: '"Bücher & Söhne." <no-reply@example.org>', to: ['ada@example.org'], subject: MESSAGE.subject, text: MESSAGE.text, html: MESSAGE.html }, 'its body');
  sent(t, await resend.sender.send({ ...MESSAGE, html: undefined, id: 'once' }), 'text alone');
  t.is([resend.service.last().headers['idempotency-key'], 'html' in JSON.parse(resend.service.last().body)], ['once', false], 'is text alone, and counts once');
  await refusals(t, resend, (message) => ({ name: 'validation_error', message }));

  t.section('Postmark');
  const postmark = await fromService(t, 'postmark', { apiKey: 'token' });
  t.is([postmark.request.method, postmark.request.url], ['POST', '/email'], 'where it goes');
  t.is([postmark.request.headers['x-postmark-server-token'], postmark.request.headers['content-type'], postmark.request.headers.accept], ['token', 'application/json', 'application/json'], 'its headers');
  t.is(JSON.parse(postmark.request.body), { From: '"Bücher & Söhne." <no-reply@example.org>', To: 'ada@example.org', Subject: MESSAGE.subject, TextBody: MESSAGE.text, HtmlBody: MESSAGE.html, MessageStream: 'outbound', TrackLinks: 'None', TrackOpens: false }, 'its body');
  await refusals(t, postmark, (Message) => ({ ErrorCode: 300, Message }));

  t.section('Mailgun');
  const mailgun = await fromService(t, 'mailgun', { apiKey: 'key-1', domain: 'mg.example.org' });
  t.is([mailgun.request.method, mailgun.request.url], ['POST', '/v3/mg.example.org/messages'], 'where it goes');
  t.is([mailgun.request.headers.authorization, mailgun.request.headers['content-type']], [`Basic ${btoa('api:key-1')}`, 'application/x-www-form-urlencoded'], 'its headers');
  t.is(Object.fromEntries(new URLSearchParams(mailgun.request.body)), { from: '"Bücher & Söhne." <no-reply@example.org>', to: 'ada@example.org', subject: MESSAGE.subject, text: MESSAGE.text, html: MESSAGE.html, 'o:tracking': 'no' }, 'its body');
  await refusals(t, mailgun, (message) => ({ message }));

  t.section('Forward Email');
  const forward = await fromService(t, 'forwardemail', { apiKey: 'fe-key' });
  t.is([forward.request.method, forward.request.url], ['POST', '/v1/emails'], 'where it goes');
  t.is([forward.request.headers.authorization, forward.request.headers['content-type']], [`Basic ${btoa('fe-key:')}`, 'application/json'], 'its headers');
  t.is(JSON.parse(forward.request.body), { from: '"Bücher & Söhne." <no-reply@example.org>', to: 'ada@example.org', subject: MESSAGE.subject, text: MESSAGE.text, html: MESSAGE.html }, 'its body');
  await refusals(t, forward, (message) => ({ message }));

  t.section('Loops');
  const loops = await fromService(t, 'loops', { apiKey: 'loops-key', transactionalId: 'cm0' });
  t.is([loops.request.method, loops.request.url], ['POST', '/api/v1/transactional'], 'where it goes');
  t.is([loops.request.headers.authorization, loops.request.headers['content-type']], ['Bearer loops-key', 'application/json'], 'its headers');
  t.is(JSON.parse(loops.request.body), { transactionalId: 'cm0', email: 'ada@example.org', dataVariables: { url: '', subject: MESSAGE.subject, text: MESSAGE.text } }, 'its body');
  sent(t, await loops.sender.send({ ...MESSAGE, url: 'https://example.org/link', id: 'once' }), 'a link');
  t.is([loops.service.last().headers['idempotency-key'], JSON.parse(loops.service.last().body).dataVariables.url], ['once', 'https://example.org/link'], 'is a variable, and counts once');
  await refusals(t, loops, (message) => ({ message }));

  t.section('a service that is slow or gone');
  resend.service.slow = 2000;
  refused(t, await resend.sender.send(MESSAGE), true, /^resend: calling http:\/\/127\.0\.0\.1:\d+ failed: /, 'it takes too long');
  const gone = await startSender(t, 'resend', { apiKey: 're_key', from: FROM, baseUrl: `http://127.0.0.1:${await freePort()}/` });
  refused(t, await gone.send(MESSAGE), true, /^resend: calling .* failed/, 'it is not there');
}

async function amazon(t) {
  t.section('Amazon SES');
  const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey, region: 'eu-central-1' };
  const ses = await fromService(t, 'ses', keys, [200, { MessageId: '1' }]);
  const { request } = ses;
  const signed = signatureOf(request, secretAccessKey);
  t.is([request.method, request.url, request.headers['content-type']], ['POST', '/v2/email/outbound-emails', 'application/json'], 'where it goes');
  t.is([signed.key, signed.scope.slice(8)], ['AKIDEXAMPLE', '/eu-central-1/ses/aws4_request'], 'for which key, region and service it is signed');
  t.is(signed.scope.slice(0, 8), request.headers['x-amz-date'].slice(0, 8), 'today');
  t.is(signed.signature, signed.expected, 'the signature is what AWS computes');
  t.ok(['content-type', 'host', 'x-amz-date'].every((name) => signed.names.includes(name)), 'of all that matters', signed.names);
  t.isnt(signatureOf({ ...request, body: `${request.body} ` }, secretAccessKey).expected, signed.signature, 'and of the body');
  t.is(JSON.parse(request.body), {
    FromEmailAddress: '=?UTF-8?B?QsO8Y2hlciAmIFPDtmhuZS4=?= <no-reply@example.org>',
    Destination: { ToAddresses: ['ada@example.org'] },
    Content: { Simple: { Subject: { Data: MESSAGE.subject, Charset: 'UTF-8' },
      Body: { Text: { Data: MESSAGE.text, Charset: 'UTF-8' }, Html: { Data: MESSAGE.html, Charset: 'UTF-8' } } } },
  }, 'its body');
  await refusals(t, ses, (message) => ({ message }));

  const temporary = await fromService(t, 'ses', { ...keys, sessionToken: 'IQoJb3JpZ2luX2VjEJr//////////wEaDGV1+token==' });
  const token = signatureOf(temporary.request, secretAccessKey);
  t.is(temporary.request.headers['x-amz-security-token'], 'IQoJb3JpZ2luX2VjEJr//////////wEaDGV1+token==', 'the token of temporary keys');
  t.ok(token.names.includes('x-amz-security-token'), 'is signed', token.names);
  t.is(token.signature, token.expected, 'as AWS does it');
}

const done = (sender, ...counts) => until('the queue is done', async () => {
  const now = await sender.counts();
  return counts.every(([name, value]) => now[name] === value);
});

async function queues(t) {
  t.section('a queue: sent behind the request\'s back, again when it failed for a time');
  const server = await startMail(t, { tls: 'none' });
  const sender = await startSender(t, server.url(), { from: FROM });
  await sender.queue(3);
  server.answers.RCPT = [450];
  const put = await sender.put(MESSAGE, 60);
  t.is(put.error, null, 'a mail is put');
  await done(sender, ['sent', 1], ['queued', 0]);
  t.is([server.mails.length, server.attempts], [1, 2], 'and arrives at the second attempt');
  t.like(sender.log[0], /^warning: mail to a\*\*\*@example\.org will be retried in 1 s: mail server localhost /, 'the log says why it was late');
  t.is(sender.log[1], 'info: mail to a***@example.org sent', 'and that it went');

  server.answers.RCPT = [550];
  await sender.put(MESSAGE);
  await done(sender, ['failed', 1]);
  t.like(sender.log[2], /^warning: mail to a\*\*\*@example\.org given up: mail server .*550/, 'what is refused for good is given up at once, for its address');
  server.answers.RCPT = [450, 450];
  await sender.put(MESSAGE, 4);
  await done(sender, ['failed', 2]);
  t.is(server.attempts, 5, 'what would be tried again after its link\'s end is given up before');
  await sender.stop();

  t.section('a queue that is full, and its end');
  server.hold();
  sender.log.length = 0;
  await sender.queue(3);
  const puts = await Promise.all(['b@example.org', 'c@example.org', 'd@example.org', 'e@example.org'].map((to) => sender.put({ ...MESSAGE, to })));
  t.is(puts.map(({ error }) => error), [null, null, null, 'mail not sent: too many emails are already waiting'], 'takes as many as it may');
  t.ok(puts[3].temporary, 'and one for which there is no place may be tried again');
  t.is(await sender.counts(), { sent: 0, failed: 0, dropped: 1, queued: 3 }, 'the counters say so');
  await until('the first is under way', () => server.attempts > 5);
  const ended = sender.stop();
  server.release();
  await ended;
  t.is(server.mails.slice(1).map(({ envelope }) => envelope.rcptTo[0].address), ['b@example.org', 'c@example.org', 'd@example.org'], 'the end sends what is due');

  sender.log.length = 0;
  await sender.queue(3);
  server.answers.RCPT = [450];
  await sender.put(MESSAGE);
  await until('the first attempt', () => sender.log.length);
  await sender.stop();
  t.is(sender.log.slice(1), ['error: mail to a***@example.org lost: the process is ending before it could be sent'], 'what waits for another attempt is lost, and said to be');
  server.slow = 2000;
  sender.log.length = 0;
  await sender.queue(3);
  for (const to of ['b@example.org', 'c@example.org', 'd@example.org']) await sender.put({ ...MESSAGE, to });
  const bounded = (await sender.stop()).ms;
  t.ok(bounded < 30_000, 'a slow server does not hold up the end', `${bounded} ms`);
  t.is(sender.log.filter((line) => /^info: .* sent$/.test(line)).length + sender.log.filter((line) => / lost: /.test(line)).length, 3, 'and every mail is accounted for');
  t.ok(sender.log.some((line) => / lost: /.test(line)), 'some of them as lost');
  server.slow = 60_000;
  sender.log.length = 0;
  await sender.queue(3);
  const { attempts } = server;
  const { ms } = await sender.put(MESSAGE);
  t.ok(ms < 30_000, 'who puts a mail never waits for the server', `${ms} ms`);
  await until('it is under way', () => server.attempts > attempts);
  const hung = (await sender.stop()).ms;
  t.is(sender.log.filter((line) => / lost: /.test(line)).length, 1, 'a server that hangs ends with the process');
  t.ok(hung < 30_000, '  without waiting for it', `${hung} ms`);
  server.slow = 0;
  await sender.queue(3);
  t.is((await sender.stop()).error, null, 'a queue that nobody used has nothing to end');
}

suite('Mail: SMTP, the APIs of services, the queue', async (t) => {
  t.withOneMpm();
  await encrypted(t);
  await answersOfServers(t);
  await beyondAscii(t);
  await services(t);
  await amazon(t);
  await queues(t);
});
