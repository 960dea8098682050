"""Table B of the faults: network and HTTP."""

from __future__ import annotations

from .fault import Fault, fault

ADDRESSES = "faults/test_addresses.py::"
FETCHING = "faults/test_fetching.py::"
LAYERS = "metalake_io/test_layers.py::"
UNPROVABLE = "faults/test_unprovable.py::"
NETWORK = "faults/test_network.py::"
OUTAGES = "faults/test_outages.py::"
PACING = "metalake_io/test_pacing.py::"
PAUSES = "faults/test_pauses.py::"
SLOW = "faults/test_slow.py::"
SOCKETS = "metalake_io/test_sockets.py::"
UNREACHABLE = "faults/test_unreachable.py::"
UPLOADS = "metalake_io/test_uploads.py::"

NETWORK_FAULTS: dict[str, Fault] = {
    "B1": fault(
        "429 and 503 in a row, with every form of Retry-After",
        PAUSES + "test_b1_a_storm_on_every_operation",
        PAUSES + "test_b1_fifty_over_the_pool",
        LAYERS + "test_every_form_of_retry_after",
        LAYERS + "test_retry_after_is_kept_and_capped",
        PACING + "test_all_wait_where_one_was_asked_to",
        PACING + "test_who_is_told_when_to_come_back_has_time_and_not_attempts",
        PACING + "test_who_is_put_off_for_ever_gives_up",
    ),
    "B2": fault(
        "what can succeed is tried again, what cannot is asked once",
        NETWORK + "test_b2_what_can_succeed_is_tried_again",
        NETWORK + "test_b2_what_cannot_is_asked_once",
        NETWORK + "test_b2_a_batch_that_is_too_large_is_split",
        LAYERS + "test_what_can_succeed_is_tried_again",
        LAYERS + "test_what_cannot_is_asked_once",
    ),
    "B3": fault(
        "the answer is lost after the work was done",
        NETWORK + "test_b3_a_reply_that_is_lost",
        UNPROVABLE + "test_b3_a_reply_that_is_lost_and_cannot_be_asked_for",
    ),
    "B4": fault(
        "the connection breaks within a part: the whole part goes again",
        NETWORK + "test_b4_the_connection_breaks_within_a_part",
        SOCKETS + "test_a_file_is_sent_whole_again_and_in_small_pieces",
    ),
    "B5": fault(
        "a download breaks off: it goes on where that is certain, else begins anew",
        FETCHING + "test_b5_a_download_that_breaks_off",
        FETCHING + "test_b5_a_download_that_always_breaks_off",
        FETCHING + "test_b5_without_any_size_it_is_called_unverified",
    ),
    "B6": fault("a download of other bytes", FETCHING + "test_b6_other_bytes"),
    "B7": fault("a storage that lies about ranges", FETCHING + "test_b7_a_storage_that_lies_about_ranges"),
    "B8": fault(
        "silent and slow servers hold one worker for one time-out",
        SLOW + "test_b8_a_black_hole",
        SLOW + "test_b8_a_slow_server_holds_one_worker",
        "metalake_io/test_connections.py::test_what_hardly_moves_is_cut_off_in_time",
        SOCKETS + "test_no_answer_in_time",
    ),
    "B9": fault(
        "a signed address expires on the way",
        ADDRESSES + "test_b9_addresses_expire_on_the_way",
        ADDRESSES + "test_b9_addresses_that_are_old_when_they_come",
        ADDRESSES + "test_b9_no_access_is_no_expiry",
        ADDRESSES + "test_b9_google_proves_whole_files",
        FETCHING + "test_b9_an_address_that_expires_on_the_way",
        FETCHING + "test_b9_addresses_that_expire_again_and_again",
        FETCHING + "test_b9_an_address_that_is_refused_is_asked_again_once",
        UPLOADS + "test_an_expired_address_is_asked_again_and_stored_parts_are_not_sent_again",
    ),
    "B10": fault(
        "connections that are closed after each answer, or while nobody used them",
        OUTAGES + "test_b10_closed_after_each_answer",
        OUTAGES + "test_b10_closed_before_the_client_can_see_it",
        OUTAGES + "test_b10_closed_while_nobody_used_them",
    ),
    "B11": fault(
        "no name, nobody there, a proxy that refuses, no trust",
        UNREACHABLE + "test_b11_nobody_there",
        UNREACHABLE + "test_b11_a_proxy_that_refuses",
        UNREACHABLE + "test_b11_a_proxy_that_is_not_there",
        UNREACHABLE + "test_b11_a_server_that_we_trust",
        UNREACHABLE + "test_b11_no_trust",
        UNREACHABLE + "test_b11_no_downgrade",
        SOCKETS + "test_nobody_there_and_no_name",
        SOCKETS + "test_no_trust_in_a_server_without_tls",
    ),
    "B12": fault(
        "redirects: never with our key to others, never of a signed PUT, never to anything but http",
        ADDRESSES + "test_b12_another_server_never_gets_the_key",
        ADDRESSES + "test_b12_a_writing_call_goes_to_no_other_server",
        ADDRESSES + "test_b12_a_body_goes_whole_where_it_is_sent_on",
        ADDRESSES + "test_b12_a_loop_ends",
        ADDRESSES + "test_b12_only_http_is_followed",
        UNREACHABLE + "test_b11_no_downgrade",
        LAYERS + "test_redirects",
        LAYERS + "test_redirects_that_are_not_followed",
        LAYERS + "test_redirects_that_are_the_callers_business",
    ),
    "B13": fault(
        "a server that is away for a minute, in whole transfers: they go on within ten seconds",
        OUTAGES + "test_b13_an_outage_of_a_minute",
        OUTAGES + "test_b13_an_outage_for_four_workers",
        PACING + "test_an_outage_of_a_minute_is_waited_for",
        PACING + "test_an_outage_that_does_not_end_is_given_up",
        PACING + "test_one_asks_for_all_while_the_server_is_away",
    ),
    "B14": fault("every request may fail in any way", OUTAGES + "test_b14_a_fifth_of_all_requests_fails"),
}
