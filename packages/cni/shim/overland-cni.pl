#!/usr/bin/perl
# overland-cni for machines without a C compiler: the same as overland-cni.c, which explains it, with the modules of
# perl-base alone.
use strict;
use warnings;
use Fcntl qw(O_WRONLY O_CREAT O_EXCL O_RDONLY);
use IO::Handle;
use Socket qw(AF_UNIX SOCK_STREAM SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO pack_sockaddr_un);

my ($INPUT_LIMIT, $REPLY_LIMIT) = (256 * 1024, 4 * 1024 * 1024);
my ($CONNECT_S, $ANSWER_S) = (5, 90);
# Others are written here by `overland cni install`, or are in the runtime's environment.
my ($API_SOCKET, $STATE_DIRECTORY) = ('/run/overland/agent.sock', '/var/lib/overland');

sub json {
    my ($text) = @_;
    $text =~ s/([\x00-\x1f"\\\x7f])/sprintf '\\u%04x', ord $1/ge;
    return qq("$text");
}

sub failure {
    my ($code, $message, $about) = @_;
    print qq({"cniVersion":"1.0.0","code":$code,"msg":), json($message), ',"details":', json($about), "}\n";
    exit 1;
}

# Everything; undef when it is over the limit or an error comes first.
sub read_all {
    my ($handle, $limit) = @_;
    my $all = '';
    while (my $got = sysread $handle, $all, 16384, length $all) {
        return undef if length $all > $limit;
    }
    return $!{EAGAIN} ? undef : $all;
}

sub write_all {
    my ($handle, $text) = @_;
    my $at = 0;
    while ($at < length $text) {
        my $written = syswrite $handle, $text, length($text) - $at, $at;
        return 0 unless $written;
        $at += $written;
    }
    return 1;
}

# HTTP status and body of the agent's answer; nothing: it does not answer.
sub ask {
    my ($path, $body) = @_;
    return if length $path > 107;
    socket(my $agent, AF_UNIX, SOCK_STREAM, 0) or return;
    setsockopt $agent, SOL_SOCKET, SO_SNDTIMEO, pack('l!l!', $CONNECT_S, 0);
    setsockopt $agent, SOL_SOCKET, SO_RCVTIMEO, pack('l!l!', $ANSWER_S, 0);
    connect $agent, pack_sockaddr_un($path) or return;
    my $head = "POST /v1/cni HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " . length($body);
    write_all($agent, "$head\r\n\r\n$body") or return;
    $! = 0;
    my $reply = read_all($agent, $REPLY_LIMIT) // return;
    my ($status, $headers, $answer) = $reply =~ m{\AHTTP/1\.\d (\d+)(.*?)\r\n\r\n(.*)\z}s or return;
    # An agent that is killed while it writes must not be taken at half its word.
    my $expected = $headers =~ /\r\nContent-Length: *(\d+)/i ? $1 : 0;
    return length $answer == $expected ? ($status, $answer) : ();
}

# Whether the call is on disk, for the agent to do when it comes.
sub leave {
    my ($state, $body) = @_;
    mkdir $state, 0700;
    mkdir "$state/cni", 0700;
    my $name = sprintf '%s/cni/del-%010d-%09d-%d.json', $state, time, 0, $$;
    sysopen(my $file, "$name.new", O_WRONLY | O_CREAT | O_EXCL, 0600) or return 0;
    sysopen(my $folder, "$state/cni", O_RDONLY) or return 0;
    return 1 if write_all($file, $body) && $file->sync && rename("$name.new", $name) && $folder->sync;
    unlink "$name.new";
    return 0;
}

$SIG{PIPE} = 'IGNORE';
binmode $_ for *STDIN, *STDOUT;
my $socket = $ENV{OVERLAND_API_SOCKET} || $API_SOCKET;
my $state = $ENV{OVERLAND_STATE_DIRECTORY} || $STATE_DIRECTORY;
my $command = $ENV{CNI_COMMAND} // '';
$! = 0;
my $input = read_all(\*STDIN, $INPUT_LIMIT)
    // failure(5, 'standard input cannot be read, or is over 256 KiB', '');
my ($program) = $0 =~ m{([^/]*)\z};
my $variables = join ',', map { json($_) . ':' . json($ENV{$_}) } grep { /\ACNI_|\APATH\z/ } sort keys %ENV;
my $body = sprintf '{"program":%s,"env":{%s},"stdin":%s}', json($program), $variables, json($input);
my ($status, $answer) = ask($socket, $body);
if (defined $status && ($status == 200 || $status == 422)) {
    exit(write_all(\*STDOUT, $answer) && $status == 200 ? 0 : 1);
}
exit 0 if $command eq 'DEL' && leave($state, $body);
if ($command eq 'VERSION') {
    print '{"cniVersion":"1.1.0","supportedVersions":',
        qq(["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}\n);
    exit 0;
}
failure($command eq 'STATUS' ? 50 : 11, 'the agent of Overland does not answer', $socket);
