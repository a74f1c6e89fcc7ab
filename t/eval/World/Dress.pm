# SPDX-License-Identifier: BSD-2-Clause
#
# Dress: programs that send mail, and the fields that tell of them. Message-ID and name of a program fit each other, as
# they do in life: spamd takes a Message-ID that another program made for a forgery.
package World::Dress;

use strict;
use warnings;

use World::Dice qw(whole);

# name => the field that has it, its value, what its Message-IDs look like: u and U are UUIDs, hN is N hex digits, mN
# letters of either case, dN digits, o is Outlook's; @ is the sender's domain
my %programs = (
	thunderbird => ['User-Agent', 'Mozilla Thunderbird', 'u@'],
	thunderbird102 => ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.9.0', 'u@'],
	thunderbird91 => ['User-Agent', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:91.0) Gecko/20100101 Thunderbird/91.13.1', 'u@'],
	outlook => ['X-Mailer', 'Microsoft Outlook 16.0', 'o@'],
	outlook15 => ['X-Mailer', 'Microsoft Outlook 15.0', 'o@'],
	apple => ['X-Mailer', 'Apple Mail (2.3774.300.61.1.2)', 'U@'],
	apple15 => ['X-Mailer', 'Apple Mail (2.3654.120.0.1.13)', 'U@'],
	iphone => ['X-Mailer', 'iPhone Mail (20F75)', 'U@'],
	iphone17 => ['X-Mailer', 'iPhone Mail (21B91)', 'U@'],
	k9 => ['User-Agent', 'K-9 Mail for Android', 'U@'],
	fair => ['X-Mailer', 'FairEmail 1.2100', 'u@'],
	samsung => ['X-Mailer', 'Samsung Mail 6.1.90', 'h24.h12@email.android.com'],
	roundcube => ['User-Agent', 'Roundcube Webmail/1.6.1', 'h32@'],
	evolution => ['User-Agent', 'Evolution 3.46.4-2', 'h40.camel@'],
	mutt => ['User-Agent', 'Mutt/2.2.9', 'm16@'],
	sogo => ['User-Agent', 'SOGoMail 5.8.0', 'h4-h8-h1-h8@d9'],
	phpmailer => ['X-Mailer', 'PHPMailer 6.8.0 (https://github.com/PHPMailer/PHPMailer)', 'h32@'],
	wordpress => ['X-Mailer', 'PHPMailer 6.9.1 (https://github.com/PHPMailer/PHPMailer)', 'h40@'],
	symfony => ['', '', 'h32@'],
	drupal => ['X-Mailer', 'Drupal', 'd10.h12@'],
	magento => ['', '', 'd14.h13.h12@'],
	contao => ['User-Agent', 'Contao Open Source CMS', 'h32@'],
	lexware => ['X-Mailer', 'Lexware faktura', 'h32@'],
	mailman => ['X-Mailman-Version', '3.3.8', 'd14.d6.d5@'],
	phplist => ['X-Mailer', 'phplist v3.6.12', 'h32@'],
	mailpoet => ['X-Mailer', 'MailPoet (4.9.0)', 'h32@'],
	acymailing => ['X-Mailer', 'AcyMailing 8.3', 'h32@'],
	znuny => ['X-Mailer', 'Znuny Mail Service (6.5.1)', 'd14.d6@'],
	zammad => ['User-Agent', 'Zammad Mail Service', 'h32@'],
	osticket => ['X-Mailer', 'osTicket Mailer', 'h8-h6-h18@'],
	mailutils => ['User-Agent', 'mail (GNU Mailutils 3.15)', 'd14.h10@'],
	snail => ['User-Agent', 's-nail v14.9.24', 'd14.h5%h20@'],
	zabbix => ['', '', ''],
	none => ['', '', 'h32@'],
	emclient => ['User-Agent', 'eM_Client/9.2.1735.0', 'emh8-h4-h4-h4-h12@h8.com'],
);

sub names { return sort keys %programs }
sub value { my ($name) = @_; return $programs{$name}[1] }

sub hex_digits { my ($dice, $count) = @_; return join '', map { sprintf '%x', $dice->() * 16 } 1 .. $count }

sub some_digits
{
	my ($dice, $kind, $count) = @_;
	my @digits = $kind eq 'h' ? (0 .. 9, 'a' .. 'f') : $kind eq 'm' ? ('A' .. 'Z', 'a' .. 'z', 0 .. 9) : (1 .. 9);
	return join '', map { $digits[$dice->() * @digits] } 1 .. $count;
}

sub uuid
{
	my ($dice) = @_;
	return join '-', hex_digits($dice, 8), hex_digits($dice, 4), '4' . hex_digits($dice, 3), 'a' . hex_digits($dice, 3), hex_digits($dice, 12);
}

sub message_id
{
	my ($name, $domain, $dice) = @_;
	my $form = ($programs{$name} // die "no program \"$name\"\n")->[2];
	return undef if $form eq '';
	my ($left, $right) = $form =~ /^(.*)@(.*)/;
	my $fill = sub { $_[0] =~ s{([hmd])(\d+)}{some_digits($dice, $1, $2)}ger };
	$left = $left eq 'u' ? uuid($dice) : $left eq 'U' ? uc uuid($dice)
		: $left eq 'o' ? sprintf('000001d9%s$%s$%s0$', map { hex_digits($dice, $_) } 4, 8, 7) : $fill->($left);
	return sprintf '<%s@%s>', $left, $right eq '' ? $domain : $fill->($right);
}

# Fields of a message by that program: Message-ID and its name.
sub fields
{
	my ($name, $domain, $dice) = @_;
	my $program = $programs{$name};
	my $id = message_id($name, $domain, $dice);
	return ($id ? ['Message-ID', $id] : (), $program->[0] ne '' ? [$program->[0], $program->[1]] : (),
		$name =~ /^outlook/ ? ['Thread-Index', 'AQ' . uc(hex_digits($dice, 26)) . '=='] : (), $name =~ /^outlook/ ? ['Content-Language', 'en-us'] : ());
}

1;
