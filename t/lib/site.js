'use strict';
// What sites have in common that keep nothing but cookies.
const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none`;

module.exports = { common };
