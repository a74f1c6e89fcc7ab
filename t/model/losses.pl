#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# losses.pl: puts faults back into a copy of the store, one at a time, and expects the model to find each. From a build folder,
# by `make check-losses`. usage: losses.pl [NUMBER...]
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use File::Spec;

my $source = File::Spec->rel2abs($ENV{srcdir} // '.');
my $schedules = 60000;
my $folder = 't/model/losses';

# What it is, the file, what stands there, and what stood there or might: each text stands there once.
my @losses = (
	['a write whose answer was lost is taken for done', 'redis-schema/store/store_book.c',
		"\t\tbook_owe(book, &book->sent_debt, part);\n", ''],
	['what goes again as text after NOSCRIPT keeps no number', 'redis-schema/store/store_book.c',
		"\tbook->work->by_text = true;\n", "\tbook->work->by_text = true;\n\tbook->number = 0;\n"],
	['a repeat that Redis refused is taken for done', 'redis-schema/store/store_book_ask.c',
		"\tbook->ended(book, store_record_written(book->work, end, count, answers));\n",
		"\tenum record_end ended = store_record_written(book->work, end, count, answers);\n"
		. "\tbook->ended(book, ended == END_ERROR && book->sent.first == NULL ? END_TAKEN : ended);\n"],
	['a fresh debt goes with a write that may have been taken', 'redis-schema/store/store_book.c',
		"\tif (book->number == 0) {\n\t\tbook_queue_move(",
		"\tif (book->number != 0 && book->debt.charges > 0) {\n"
		. "\t\tcharge_join(&book->sent_debt.charge, &book->debt.charge);\n"
		. "\t\tbook->sent_debt.charges += book->debt.charges;\n\t\tbook->debt.charges = 0;\n\t}\n"
		. "\tif (book->number == 0) {\n\t\tbook_queue_move("],
	['what is unread when the connection is given up is taken for done', 'redis-schema/store/store_record.c',
		"\tcase HEARD_LOST:\n\t\treturn END_LOST;\n", "\tcase HEARD_LOST:\n\t\treturn END_TAKEN;\n"],
	['charges that Redis took stay pending', 'redis-schema/store/store_book.c',
		"\tbook->store->stats.pending -= debt->charges;\n", ''],
	['who hears that he is late hears at once that he is lost', 'redis-schema/wire/wire_flight.c',
		"\twire->telling = flight;\n", ''],
	['what a group gives back is given back again', 'redis-schema/store/store_group.c',
		"\t\trow->owed.of[i] = owed > 0 ? owed : 0;\n", "\t\trow->owed.of[i] = owed;\n"],
	['who waits for a write that goes again is answered late', 'redis-schema/store/store_book_ask.c',
		"book_deadline(&book->waiting, book_deadline(&book->sent, deadline_ms))",
		"book_deadline(writes ? &book->sent : &book->waiting, deadline_ms)"],
	['a write is judged on a record that is not there any more', 'redis-schema/store/store_book.c',
		"\t\tbook_move_write(book);\n\t\treturn;\n\t}\n\tbook_judge(book);\n", "\t\tbook_move_write(book);\n\t\treturn;\n\t}\n"],
	['a fetch sees that a record is not ours, and its debts stay', 'redis-schema/store/store_book.c',
		"\tbool alone = row->state.unreadable && book->number == 0 && book->debt.charges == 0;\n", "\tbool alone = row->state.unreadable;\n"],
	['after a conflict recipients that another daemon learnt are forgotten', 'redis-schema/store/store_record.c',
		"\trecord_take_known(work, answer->text[1], answer->length[1]);\n", ''],
	['the number of a log is not looked at', 'redis-schema/store/store_credit.c',
		"\tuint64_t last = record_last(&ask->work->base, ask->writer);\n", "\tuint64_t last = 0;\n"],
	['the number of a log is not looked at after a conflict', 'redis-schema/store/store_credit.c',
		"\tuint64_t last = record_last(&ask->work->base, ask->writer);\n",
		"\tuint64_t last = ask->tries > 0 ? 0 : record_last(&ask->work->base, ask->writer);\n"],
	['a credit whose answer was lost is taken for done', 'redis-schema/store/store_credit.c',
		"end == END_FOREIGN ? CREDIT_FOREIGN : CREDIT_UNKNOWN", "end == END_FOREIGN ? CREDIT_FOREIGN : CREDIT_TAKEN"],
	['a checkpoint is saved while credits are under way', 'milter/follow/credit.c',
		"\treturn credit->counts.pending == 0;\n", "\treturn credit->waiting == NULL;\n"],
	['a write of several credits has the number of the first', 'redis-schema/store/store_credit.c',
		"ask->credits[ask->count - 1].number", "ask->credits[0].number"],
);

sub text_of {
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!\n";
	local $/ = undef;
	return scalar <$in>;
}

sub run {
	system(@_) == 0 or die "failed: @_\n";
}

# The one file is compiled anew and linked in front of the libraries, which then have no part in it.
sub build {
	my ($number, $file, $from, $to) = @_;
	my $text = text_of("$source/$file");
	my $found = () = $text =~ /\Q$from\E/g;
	die "loss $number: $file has the text $found times, expected once:\n$from" if $found != 1;
	$text =~ s/\Q$from\E/$to/;
	make_path($folder);
	open my $out, '>', "$folder/loss_$number.c" or die "$folder: $!\n";
	print $out $text;
	close $out or die "$folder: $!\n";
	my @objects = grep { -e } glob('t/model/*.o t/fake/bytes.o t/fake/redis.o t/fake/redis_hashes.o t/fake/redis_keys.o '
		. 't/fake/redis_lists.o t/fake/redis_script.o t/fake/redis_session.o t/fake/redis_strings.o');
	run("$ENV{CC} -std=c11 -D_GNU_SOURCE -I$source -I. $ENV{CFLAGS} -c -o $folder/loss_$number.o $folder/loss_$number.c");
	run("$ENV{CC} $ENV{CFLAGS} $ENV{LDFLAGS} -o $folder/model_$number $folder/loss_$number.o @objects $ENV{LIBS}");
}

my @numbers = @ARGV ? @ARGV : 1 .. @losses;
my $missed = 0;
$| = 1;
for my $number (@numbers) {
	my ($name, @change) = @{ $losses[$number - 1] };
	build($number, @change);
	my $said = `$folder/model_$number 1 $schedules 2>&1`;
	my $found = $? != 0;
	$said =~ s/.*?(seed \d+[^\n]*|ERROR: AddressSanitizer[^\n]*)\n.*/$1/s;
	chomp $said;
	$missed++ if !$found;
	print $found ? 'found' : 'MISSED', " $number: $name", $found ? " ($said)" : '', "\n";
}
remove_tree($folder);
exit($missed > 0);
