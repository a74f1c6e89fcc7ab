# SPDX-License-Identifier: BSD-2-Clause
#
# Words: what sentences, names, products and offers are thrown together from.
package World::Words;

use strict;
use warnings;

use Exporter 'import';
use World::Dice qw(dice whole pick chance);

our @EXPORT_OK = qw(sentence sentences offer short_words first_name full_name product host_word);

my @first = qw(Anna Peter Miriam Jonas Carla Tom Lena David Ruth Ben Sofia Paul Clara Felix Nora Simon Ida Max Eva Hugo Marta Leon Greta Oscar
	Julia Karl Emma Otto Vera Erik Lisa Noah Helen Jan Maria Lukas Tina Rolf Alma Kurt);
my @last = qw(Berger Klein Schmitz Novak Roth Weber Lange Peters Moreau Rossi Jansen Fischer Adler Brandt Cole Dietz Ebert Frank Gruber Hahn Ilves
	Jung Koch Lind Maurer Nagel Ortiz Pohl Quast Rau Sommer Thiel Ulrich Vogt Wolf Zeller);
my @who = ('the committee', 'my colleague', 'the caretaker', 'our accountant', 'the workshop', 'the school', 'the landlord', 'the supplier',
	'the orchestra', 'the architect', 'the doctor', 'the insurance', 'the town hall', 'your brother', 'the printer', 'the trainer', 'the bank',
	'the neighbour', 'the choir', 'our lawyer', 'the carpenter', 'the publisher', 'the teacher', 'the gardener', 'the electrician',
	'the museum', 'the travel agency', 'the garage', 'the builder', 'the whole team');
my @did = ('has confirmed', 'wants to see', 'is still waiting for', 'sent back', 'has lost', 'wishes to change', 'forgot about', 'asked me for',
	'has to approve', 'will pay for', 'cannot find', 'is working on', 'has finished', 'delivered', 'complained about', 'cancelled', 'mentioned',
	'needs to correct', 'has found a mistake in', 'agreed to', 'was surprised by', 'put together', 'is preparing', 'rejected', 'took over',
	'has postponed', 'signed', 'recommended', 'already copied', 'is copying for everybody');
my @thing = ('the drawings for the second floor', 'the minutes of the meeting', 'the list of guests', 'the invoice from last month', 'a draft of the contract',
	'the photographs of the garden', 'the results of the test', 'the train tickets', 'the new timetable', 'the rent for the hall', 'a quotation for the windows',
	'the keys of the cellar', 'the music for the concert', 'the spare parts', 'the report on the heating', 'the room for the workshop', 'the menu for the party',
	'the letter from the tax office', 'the plan for the holidays', 'the budget of next year', 'the form for the registration', 'the translation of the manual',
	'the order of the books', 'the date of the inspection', 'the delivery of the timber', 'the rehearsal in the church', 'the repair of the roof',
	'the application for the grant', 'the samples of the fabric', 'the medical certificate', 'the catalogue of the exhibition', 'the bicycle in the yard');
my @when = ('before the weekend', 'yesterday afternoon', 'since Monday', 'by the end of the month', 'after the holidays', 'on Thursday morning', 'as agreed on the phone',
	'without telling anybody', 'for the third time', 'in the meantime', 'at the last minute', 'during the lunch break', 'together with the other papers',
	'although nobody asked for it', 'because of the weather', 'as soon as possible', 'next week at the latest', 'at half past nine', 'in the old building',
	'as far as I know', 'if that suits you', 'like last year', 'instead of the first version', 'despite the strike', 'for the time being', 'when the office opens',
	'in spite of everything', 'with a small delay', 'under the usual conditions', 'just in time');
my @also = ('Could you let me know whether that works for you', 'Please have a look when you find the time', 'I will call you again about it', 'That would help us a lot',
	'Otherwise we shall have to wait', 'Thank you very much for your patience', 'I have put the details below', 'It was good to talk to you the other day',
	'Shall we meet to discuss it', 'You will find the rest in the folder', 'I am not sure about the numbers', 'Nobody has answered so far', 'Do you remember who did that',
	'I shall be away for some days', 'Let us decide that later', 'My train arrives rather late', 'We could take the car instead', 'The children are looking forward to it');
my @small = split ' ', 'thanks ok fine see you tomorrow yes no great done will do at nine perfect call me later got it sure monday works sounds good on my way here it is sorry running late';
my @things = qw(lamp chair kettle jacket backpack bicycle mirror carpet blender helmet notebook printer keyboard tent boots scarf watch vase pillow hammer ladder
	drill sofa shelf candle teapot bottle umbrella gloves ring bracelet poster puzzle guitar racket saddle);
my @kinds = qw(oak steel cotton linen glass leather copper bamboo ceramic woollen walnut silver folding garden travel kitchen vintage nordic classic compact);
my @offers = ('Dear winner your address has been selected in our international lottery', 'Buy cheap medication online without any prescription today',
	'Your mailbox is almost full and will be closed unless you verify your password', 'We offer business loans at two percent interest without any security',
	'Earn thousands of dollars a week from home with our secret system', 'Your parcel could not be delivered because a customs fee is missing',
	'Meet lonely ladies in your town tonight no strings attached', 'I am a lawyer and contact you about the inheritance of your late relative',
	'Invest now in the crypto coin that everybody will talk about tomorrow', 'Lose weight in ten days with this amazing natural formula',
	'Your account has been limited please confirm your payment details', 'Genuine replica watches at ninety percent discount only this week',
	'This offer expires tonight so act fast and claim your free bonus', 'Thousands of satisfied customers cannot be wrong', 'Click below to unlock your exclusive reward',
	'No risk full refund guaranteed within thirty days', 'You were chosen from among millions of participants', 'Limited stock order before midnight',
	'Doctors hate this simple trick', 'Your computer is infected install our cleaner immediately', 'Send your full name and bank account to receive the transfer',
	'We recorded you through your camera pay in bitcoin to avoid publication', 'Casino bonus of five hundred euros for every new player',
	'Increase your followers and your sales with one click');

# Words that no list has, some often and most seldom: real letters have thousands, and what is alike in two of them must
# not be a matter of a short list of ours.
my @heads = qw(b bl br c ch d dr f fl g gr h j k kl l m n p pl pr r s sch sl sp st t tr v w);
my @middles = qw(a e i o u ai ea ie ou);
my @tails = qw(b ck d ft g l ld lm m n nd ng nt p r rd rk rn s st t);
my @ends = ('', '', qw(er ing ed ly ness ion al en ish ic able));

sub rare_word
{
	my ($dice) = @_;
	my $n = int(60_000 * $dice->() ** 2);
	return join '', $heads[$n * 7 % @heads], $middles[$n * 5 % @middles], $tails[$n * 11 % @tails], $middles[int($n / 31) % @middles],
		$tails[int($n / 279) % @tails], $ends[int($n / 5859) % @ends];
}

# Half of its longer words give way to rare ones, and some are put between.
sub rarer
{
	my ($dice, $text) = @_;
	my @words = map { /^[a-z]{4,}\z/ && chance($dice, 0.55) ? rare_word($dice) : $_ } split ' ', $text;
	splice @words, whole($dice, 1, $#words), 0, rare_word($dice) for 1 .. whole($dice, 1, 3);
	return join ' ', @words;
}

sub first_name { my ($dice) = @_; return pick($dice, \@first) }
sub full_name { my ($dice) = @_; return pick($dice, \@first) . ' ' . pick($dice, \@last) }
sub product { my ($dice) = @_; return ucfirst(pick($dice, \@kinds)) . ' ' . pick($dice, \@things) }
sub host_word { my ($dice) = @_; return pick($dice, \@kinds) . '-' . pick($dice, \@things) . whole($dice, 1, 99) }

sub sentence { my ($dice) = @_; return rarer($dice, plain_sentence($dice)) }

sub plain_sentence
{
	my ($dice) = @_;
	my $way = $dice->();
	return pick($dice, \@also) . ($way < 0.08 ? '?' : '.') if $way < 0.16;
	return sprintf '%s %s %s %s.', ucfirst(pick($dice, \@who)), pick($dice, \@did), pick($dice, \@thing), pick($dice, \@when) if $way < 0.6;
	return sprintf '%s, %s %s %s.', ucfirst(pick($dice, \@when)), pick($dice, \@who), pick($dice, \@did), pick($dice, \@thing) if $way < 0.8;
	return sprintf 'I heard that %s %s %s, and %s %s it.', pick($dice, \@who), pick($dice, \@did), pick($dice, \@thing), pick($dice, \@who), pick($dice, \@did);
}

sub sentences { my ($dice, $count) = @_; return map { sentence($dice) } 1 .. $count }
sub offer { my ($dice) = @_; return rarer($dice, pick($dice, \@offers)) . (chance($dice, 0.3) ? '!!!' : '.') }
sub short_words { my ($dice, $count) = @_; return join ' ', map { pick($dice, \@small) } 1 .. $count }

1;
