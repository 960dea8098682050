"""What can go wrong, fault by fault, and the tests that show what happens then.

`shown` are the tests, as `file::function` below `tests/`; `left` says what they do not show, and why. A test compares
the table with the tests: a fault without a line, a test that is not there, or one named after a fault and not listed
fails it.
"""

from __future__ import annotations

from .fault import Fault, fault
from .network_faults import NETWORK_FAULTS, UNPROVABLE

IDS = [
    f"{table}{number}"
    for table, many in {"A": 10, "B": 14, "C": 12, "D": 8, "E": 6, "F": 10, "G": 8}.items()
    for number in range(1, many + 1)
]


CRASH = "faults/test_crash.py::"
KILLED_ANNOTATIONS = "faults/test_killed_annotations.py::"
DAMAGED = "faults/test_damaged_journals.py::"
CHANGED = "faults/test_changed_files.py::"
KILLED = "faults/test_killed_download.py::"
COMPUTER = "faults/test_this_computer.py::"
NAMES = "faults/test_names.py::"
PAGES = "faults/test_pages.py::"
ODD = "faults/test_odd_files.py::"
ONE_RUN = "faults/test_one_run.py::"
IDLE = "faults/test_idle.py::"
JOURNAL = "metalake_io/test_journal.py::"
RATES = "faults/test_rates.py::"
SCALE = "faults/test_scale.py::"
SIGNALS = "faults/test_signals.py::"
TERMINALS = "faults/test_terminals.py::"
TOGETHER = "faults/test_together.py::"
LAYERS = "metalake_io/test_layers.py::"
SOCKETS = "metalake_io/test_sockets.py::"
UPLOADS = "metalake_io/test_uploads.py::"
DOWNLOADS = "metalake_io/test_downloads.py::"
ANNOTATIONS = "metalake_io/test_annotations.py::"
CALLS = "metalake_io/test_calls.py::"
STOPPED = "metalake_io/test_stopped_runs.py::"
REFUSALS = "faults/test_refusals.py::"
BANDWIDTH = "faults/test_bandwidth.py::"
BATCHES = "faults/test_batches.py::"
ANSWERS = "faults/test_answers.py::"
TRUST = "faults/test_trust.py::"
KEYS = "faults/test_keys.py::"
TEXTS = "faults/test_texts.py::"
SECRETS = "metalake_io/test_secrets.py::"

WORKERS = "faults/test_workers.py::test_f1_f2_f3_many_requests_are_under_way"
RATIO = "how many requests are under way at a time; `benchmarks/transfers.py` measures the ratio itself"

MATRIX: dict[str, Fault] = {
    # Crash and resume
    "A1": fault(
        "killed at every request of an upload, in three moments; once more, and all is there once",
        CRASH + "test_a1_killed_at_every_request",
    ),
    "A2": fault("killed at any time of a longer upload", CRASH + "test_a2_killed_at_any_time"),
    "A3": fault(
        "killed at any time of a download, or of an export",
        KILLED + "test_a3_killed_at_any_time",
        ONE_RUN + "test_a3_an_export_killed_at_any_request",
    ),
    "A4": fault(
        "killed at every batch of annotations, or its answer lost; where the service replaces, and where it adds",
        KILLED_ANNOTATIONS + "test_a4_killed_in_the_annotations",
        KILLED_ANNOTATIONS + "test_a4_a_reply_that_is_lost",
        UNPROVABLE + "test_a4_killed_where_nobody_can_be_asked",
    ),
    "A5": fault(
        "a download killed at the n-th call of the system (fsync, rename, unlink, open, write); in the long form only",
        KILLED + "test_a5_killed_at_a_call_of_the_system",
    ),
    "A6": fault("killed three times in a row", CRASH + "test_a6_the_recovery_is_killed_too"),
    "A7": fault(
        "a damaged journal is laid aside, and everything asked for again",
        DAMAGED + "test_a7_a_damaged_journal_costs_time_only",
        JOURNAL + "test_a7_damage_is_noticed_or_does_not_matter",
        JOURNAL + "test_a7_what_is_no_journal_is_laid_aside",
    ),
    "A8": fault(
        "a journal of another server, of another target, or of a newer program is refused",
        DAMAGED + "test_a8_a_journal_that_is_not_ours_is_refused",
        JOURNAL + "test_a8_a_journal_of_something_else_is_refused",
        JOURNAL + "test_a8_a_journal_of_a_newer_program_is_refused",
    ),
    "A9": fault(
        "files that change between runs, before their turn, or while they are read, are never mixed",
        CHANGED + "test_a9_files_that_change_between_runs",
        CHANGED + "test_a9_a_file_that_changes_before_its_turn",
        CHANGED + "test_a9_a_file_that_changes_while_it_is_read",
        left="a file of the same size and time stamp as before is taken for the same, if it had arrived",
    ),
    "A10": fault(
        "a finished job again sends nothing",
        CRASH + "test_a10_a_finished_job_again",
        SCALE + "test_a10_d7_a_finished_job_again",
    ),
    # Network and HTTP
    **NETWORK_FAULTS,
    # What the server says
    "C1": fault("200 with `isSuccess: false`, at 8 operations", ANSWERS + "test_c1_a_200_that_says_no"),
    "C2": fault(
        "204, nothing, no JSON, a field that is missing, of another type or one more, at 11 operations",
        ANSWERS + "test_c2_answers_that_make_no_sense",
        ANSWERS + "test_c2_all_operations_have_their_six",
        ANSWERS + "test_c2_what_was_done_although_the_answer_makes_no_sense",
        ANSWERS + "test_c2_labels_with_the_names_of_members",
        left="finalise, complete and annotations need no answer: nothing at all is a yes there, as in the official SDK",
    ),
    "C3": fault(
        "a batch taken in part: what is refused is listed one by one, what is taken is not sent again",
        BATCHES + "test_c3_a_batch_that_is_taken_in_part",
        ANNOTATIONS + "test_images_that_the_service_names_as_unknown",
        left="tried again by the next run only: nobody documents how the service says that a refusal may pass",
    ),
    "C4": fault(
        "labels that the service has no key for, from the start or all of a sudden",
        BATCHES + "test_c4_labels_without_a_key_stop_before_the_first_write",
        BATCHES + "test_c4_a_label_that_goes_on_the_way",
        ANNOTATIONS + "test_unknown_labels_stop_before_the_first_write",
        left="`--missing-labels create`: no call of the service makes labels, but that the look-up may",
    ),
    "C5": fault(
        "401 on the way: it stops at once, and goes on with a new key",
        REFUSALS + "test_c5_401_on_the_way",
        UPLOADS + "test_401_stops_everything",
        ANNOTATIONS + "test_401_midway",
    ),
    "C6": fault(
        "413: halved down to the one image, in 21 requests",
        BATCHES + "test_c6_one_image_of_a_thousand_is_too_large",
        BATCHES + "test_c6_what_cannot_be_halved_is_refused",
        ANNOTATIONS + "test_413_halves_down_to_the_one_that_is_too_large",
    ),
    "C7": fault(
        "names that clash are told, and nothing is replaced",
        REFUSALS + "test_c7_a_name_that_the_collection_has_already",
        REFUSALS + "test_c7_a_file_that_was_removed",
        REFUSALS + "test_c7_a_name_twice_in_a_list",
        REFUSALS + "test_c7_two_pictures_that_would_have_one_name",
        left="a file that is there under this name is skipped, said not to be compared, and the exit code is 0",
    ),
    "C8": fault(
        "pages: many, repeated, empty, without an end, another number than is said",
        PAGES + "test_c8_2000_pages",
        PAGES + "test_c8_a_page_that_comes_again",
        PAGES + "test_c8_an_empty_page_in_the_middle",
        PAGES + "test_c8_no_end_of_empty_pages",
        PAGES + "test_c8_another_number_than_the_service_says",
        DOWNLOADS + "test_pages_that_make_no_sense",
        left="pages of new names without an end",
    ),
    "C9": fault(
        "a job that fails, or never ends",
        REFUSALS + "test_c9_a_job_that_fails",
        REFUSALS + "test_c9_a_job_that_never_ends",
        CALLS + "test_a_job_that_never_ends",
        ANNOTATIONS + "test_a_failed_job_gets_no_annotations",
    ),
    "C10": fault(
        "an upload that cannot be completed",
        REFUSALS + "test_c10_an_upload_that_cannot_be_closed",
        UPLOADS + "test_a_completion_that_fails_is_no_success",
    ),
    "C11": fault(
        "clocks that differ, and clocks that jump",
        REFUSALS + "test_c11_a_server_in_another_day",
        REFUSALS + "test_c11_our_clock_jumps",
        REFUSALS + "test_c11_a_storage_that_minds_the_time",
        LAYERS + "test_a_date_is_measured_by_the_servers_clock",
    ),
    "C12": fault(
        "a storage, or a way to annotate, that nobody knows",
        REFUSALS + "test_c12_a_storage_that_nobody_knows",
        REFUSALS + "test_c12_a_mode_that_nobody_knows",
        UPLOADS + "test_an_unknown_storage_stops_before_any_file",
    ),
    # This computer, and names
    "D1": fault(
        "a full disk: told with the path and what is missing, asked for once, completed by the next run",
        COMPUTER + "test_d1_a_full_disk",
        COMPUTER + "test_d1_no_space_at_the_nth_write",
        COMPUTER + "test_d1_no_space_for_the_journal",
        STOPPED + "test_a_disk_that_is_full_on_the_way",
    ),
    "D2": fault(
        "limits on files, errors of the disk, folders that cannot be written",
        COMPUTER + "test_d2_files_may_not_be_so_large",
        COMPUTER + "test_d2_the_disk_fails_when_it_must_be_sure",
        COMPUTER + "test_d2_a_disk_that_is_only_for_reading",
    ),
    "D3": fault(
        "too many open files",
        COMPUTER + "test_d3_few_files_may_be_open",
        COMPUTER + "test_d3_too_few_files_may_be_open",
    ),
    "D4": fault(
        "odd entries among good files",
        ODD + "test_d4_odd_entries_among_good_files",
        ODD + "test_d4_a_file_of_no_bytes_is_a_file",
        UPLOADS + "test_odd_entries_are_listed_and_the_good_ones_go",
    ),
    "D5": fault("odd names, there and back", NAMES + "test_d5_odd_names_there_and_back"),
    "D6": fault(
        "links that go round, or out of the folder",
        ODD + "test_d6_links",
        ODD + "test_d6_a_loop_in_what_is_downloaded_to",
    ),
    "D7": fault(
        "memory, of very many files and of very large ones",
        SOCKETS + "test_a_body_is_streamed_in_bounded_memory",
        SCALE + "test_f5_f6_f8_many_small_files",
        SCALE + "test_a10_d7_a_finished_job_again",
        SCALE + "test_d7_a_large_file",
    ),
    "D8": fault(
        "hostile names from the server",
        NAMES + "test_d8_hostile_names",
        NAMES + "test_d8_hostile_folders",
        NAMES + "test_d8_planted_links",
        DOWNLOADS + "test_hostile_names",
        DOWNLOADS + "test_hostile_unique_names",
        DOWNLOADS + "test_links_on_the_way_are_not_followed",
    ),
    # At the same time, and signals
    "E1": fault(
        "two runs of the same thing",
        TOGETHER + "test_e1_two_runs_on_one_computer",
        JOURNAL + "test_e1_a_second_run_is_told_who_holds_it",
        JOURNAL + "test_e1_waiting_for_the_other",
        ONE_RUN + "test_e1_another_run_works_on_the_folder",
    ),
    "E2": fault(
        "the holder of the lock is killed",
        TOGETHER + "test_e2_the_next_run_takes_the_lock_of_one_that_was_killed",
        JOURNAL + "test_e2_the_lock_dies_with_its_process",
    ),
    "E3": fault(
        "two runs from different computers: what is there twice then is told",
        TOGETHER + "test_e3_two_computers_bring_the_same_files",
        left="a service that lists new files later tells it to the next run",
    ),
    "E4": fault(
        "Ctrl-C and `kill` at any moment, twice, and before a silent server: what is left, and how to go on",
        SIGNALS + "test_e4_stopped_at_any_moment",
        SIGNALS + "test_e4_a_server_that_is_silent_does_not_hold_it",
        SIGNALS + "test_e4_who_asks_again_is_obeyed_at_once",
        ONE_RUN + "test_e4_stopped_while_files_come",
        STOPPED + "test_ctrl_c_among_the_files",
        STOPPED + "test_ctrl_c_among_the_annotations",
        "metalake_io/test_resuming.py::test_ctrl_c_says_how_to_go_on",
    ),
    "E5": fault(
        "nobody reads on, no streams, no terminal, no locale",
        TERMINALS + "test_e5_nobody_reads_what_is_said",
        TERMINALS + "test_e5_no_streams_at_all",
        TERMINALS + "test_e5_simple_terminals",
        "commands/test_failures.py::test_a_reader_that_goes_away_is_no_complaint",
    ),
    "E6": fault("one client, many threads", TOGETHER + "test_e6_one_client_in_many_threads"),
    # Size and speed
    "F1": fault("100 files against the official SDK", WORKERS, left=RATIO),
    "F2": fault("1,000 files against the official SDK; in the long form only", WORKERS, left=RATIO),
    "F3": fault("a download of 100 or 500 against the official SDK", WORKERS, left=RATIO),
    "F4": fault("20,000 images with annotations", left="`benchmarks/transfers.py` measures the seconds"),
    "F5": fault("100,000 small files", SCALE + "test_f5_f6_f8_many_small_files"),
    "F6": fault(
        "connections of a run",
        SCALE + "test_f5_f6_f8_many_small_files",
        UPLOADS + "test_many_at_once_over_few_connections",
    ),
    "F7": fault(
        "time that is waited away: none where nothing goes wrong, and for listed reasons else",
        IDLE + "test_f7_no_transfer_waits_without_a_fault",
        IDLE + "test_f7_no_command_waits_without_a_fault",
        IDLE + "test_f7_a_wait_in_vain_is_seen",
        "house/test_threads.py::test_only_the_policy_sleeps",
    ),
    "F8": fault("calls for each file", SCALE + "test_f5_f6_f8_many_small_files"),
    "F9": fault(
        "a limit of the bandwidth, kept by all connections together",
        BANDWIDTH + "test_f9_many_connections_keep_to_one_limit",
        BANDWIDTH + "test_f9_whole_transfers",
        BANDWIDTH + "test_f9_as_a_command",
        BANDWIDTH + "test_f9_waiting_for_our_own_limit_is_no_slow_server",
    ),
    "F10": fault(
        "a server that takes 20 requests a second, or another number, is asked as often and hardly ever more",
        RATES + "test_f10_a_server_that_takes_20_a_second",
        RATES + "test_f10_other_limits",
        RATES + "test_f10_a_server_without_a_limit_is_asked_without_a_pause",
        RATES + "test_f10_refusals_that_are_chance_slow_nobody_down",
        RATES + "test_f10_more_refusals_that_are_chance_are_found_out",
        RATES + "test_f10_a_limit_that_comes_after_chance_is_kept",
        RATES + "test_f10_a_limit_that_is_no_more_is_forgotten",
        RATES + "test_f10_no_file_is_lost_to_a_limit",
        left="refusals and answers are counted from the fourth second on: before, nobody knows of a limit",
    ),
    # Secrets and trust
    "G1": fault(
        "secrets in what is said and kept: looked for after every test of this folder and of `metalake_io`",
        "faults/test_secrets.py::test_g1_the_look_for_secrets_sees_them",
        "faults/test_secrets.py::test_g1_reports_are_looked_at",
        "faults/test_secrets.py::test_g1_signed_addresses_stay_untold",
        "faults/test_secrets.py::test_g1_a_client_does_not_tell_its_key",
        SECRETS + "test_no_exception_tells_a_secret",
        SECRETS + "test_nothing_that_is_kept_tells_a_secret",
    ),
    "G2": fault(
        "the key goes to the service alone, whatever netrc, proxies and redirects say",
        TRUST + "test_g2_the_key_goes_to_the_service_alone",
        TRUST + "test_g2_what_is_written_follows_nobody_elsewhere",
        LAYERS + "test_redirects",
        SOCKETS + "test_nothing_of_the_environment",
    ),
    "G3": fault(
        "certificates are checked, against a named authority too; `--insecure` says what it does",
        TRUST + "test_g3_a_certificate_of_an_authority_that_is_named",
        TRUST + "test_g3_certificates_that_prove_nothing",
        TRUST + "test_g3_an_authority_that_is_none",
        SOCKETS + "test_no_trust_in_a_server_without_tls",
    ),
    "G4": fault(
        "addresses without encryption, or that are no addresses of the web",
        TRUST + "test_g4_no_encryption_to_another_computer",
        TRUST + "test_g4_signed_addresses_that_are_none",
        TRUST + "test_g4_no_way_from_https_to_http",
        CALLS + "test_addresses_that_cannot_be_meant",
    ),
    "G5": fault(
        "key and secret: argument, named profile, environment, default profile in a file for its owner alone",
        KEYS + "test_g5_what_is_given_beats_the_environment",
        KEYS + "test_g5_the_environment_beats_the_profile",
        KEYS + "test_g5_a_profile_that_is_named_beats_the_environment",
        KEYS + "test_g5_the_default_profile",
        KEYS + "test_g5_a_file_that_others_may_use_is_refused",
        KEYS + "test_g5_a_profiles_secret_goes_to_its_own_address",
        KEYS + "test_g5_half_a_pair_is_none",
        KEYS + "test_g5_login_keeps_it_for_its_owner_alone",
        KEYS + "test_g5_no_key_on_the_command_line",
        "metalake_io/test_commands.py::test_login_keeps_a_profile_that_only_its_owner_reads",
        left="no keyring: 15 packages that find none on a server",
    ),
    "G6": fault(
        "texts from the server that would drive a terminal, in messages, names and other words",
        TEXTS + "test_g6_messages",
        TEXTS + "test_g6_names",
        TEXTS + "test_g6_other_words",
        TEXTS + "test_g6_documents_are_the_same_document",
        LAYERS + "test_texts_of_servers_are_harmless",
    ),
    "G7": fault(
        "keys, addresses and names that would be headers",
        KEYS + "test_g7_keys_that_would_be_headers",
        KEYS + "test_g7_addresses_that_would_be_headers",
        KEYS + "test_g7_names_that_would_be_headers",
        KEYS + "test_g7_names_in_any_letters_arrive",
        CALLS + "test_keys_that_cannot_be_meant",
    ),
    "G8": fault(
        "a bomb in an answer is cut, and memory stays below the cap",
        TEXTS + "test_g8_a_bomb_is_cut_at_the_cap",
        TEXTS + "test_g8_memory_stays_below_the_cap",
        SOCKETS + "test_a_bomb_is_cut_off",
    ),
}

CHECKS: dict[str, Fault] = {
    # What looks for faults that nobody has thought of, and whether the tests are strong enough
    "H1": fault(
        "the lifetime of a folder and its collection: files come, change and go between runs that fail or are killed",
        "faults/test_lifetimes.py::test_h1_lifetimes",
        "faults/test_lifetimes.py::test_h1_a_file_that_may_be_there_is_not_sent_whole",
    ),
    "H2": fault(
        "random plans of faults, incidents and kills, each of them made by a seed",
        "faults/test_plans.py::test_h2_a_random_plan_of_faults",
    ),
    "H3": fault(
        "the official SDK fails where we do not",
        "faults/test_survival.py::test_the_official_sdk_does_not",
    ),
    "H4": fault("seeded bugs are caught", left="`python -m tests.faults.seeded_bugs`, by hand: it takes minutes"),
}
