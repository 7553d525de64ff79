#!/usr/bin/perl
# The application of the demo: prints the identity headers that it receives.
use strict;
use warnings;

my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
my $rows = '';
for my $name (sort grep { /^HTTP_X_NEXTAUTH_/ } keys %ENV) {
    my $value = $ENV{$name};
    $value =~ s/([&<>"])/$entity{$1}/g;
    (my $header = $name) =~ s/^HTTP_//;
    $header = join '-', map { ucfirst lc } split /_/, $header;
    $rows .= "<tr><th>$header</th><td>$value</td></tr>\n";
}
print <<"PAGE";
Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Application</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<nav><a href="/">Public</a> <a href="/members/">Members</a> <a href="/admin/">Admin</a>
<a href="/api/auth/signout">Sign out</a></nav>
<h1>An application behind mod_proxy</h1>
<p>It received these headers:</p>
<table>
$rows</table>
</body>
</html>
PAGE
