#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From audit mode to an enforced policy: what a cell did that would be refused, suggest says; with its lines and enforced,
# it works, and what a deny forbids does not.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

if [ "$SITE_LOG" != journal ] || [ "$SITE_MODE" != installed ] || ! have apparmor; then
	skip "suggest, from audit mode to an enforced policy" "no journal here, or no AppArmor"
	done_testing
	exit
fi

PROFILE=/etc/apparmor.d/cloister-restricted
LOCAL=/etc/apparmor.d/local/cloister-restricted
place=/srv/$SITE_PREFIX-suggest
undo_note tree "$place"
suggest_cleanup() {
	rm -rf --one-file-system "$place"
	rm -f "$LOCAL"
	apparmor_parser -r "$PROFILE"
	test_cleanup
}
trap suggest_cleanup EXIT
mkdir -p "$place" "$(dirname "$LOCAL")"
odd="$place/a \"b\" [c]*{d},"
echo old | tee "$place/file" >"$odd"
chmod 666 "$place/file" "$odd"

# 298 is perf_event_open. The process calls itself what would break out of a comment.
shared=$(share /bin/true)
cat >"$shared/work" <<EOT
#!/usr/bin/python3
import ctypes, os, shutil, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(15, b'x"]; };\n#', 0, 0, 0)
libc.syscall(298, 0, 0, -1, -1, 0)
print("perf_event_open", ctypes.get_errno())
def attempt(name, function):
    try:
        function()
        print(name, 0)
    except OSError as error:
        print(name, error.errno)
for path in sys.argv[1:]:
    attempt("write", lambda: open(path, "w").write("new"))
attempt("mkdir", lambda: os.mkdir("made"))
shutil.copy("/bin/true", "/tmp/program")
attempt("execute", lambda: subprocess.run(["/tmp/program"], check=True))
attempt("rmdir", lambda: os.rmdir("made"))
EOT
chmod 755 "$shared/work"
work() { # HOLD: all of it on one line
	held "$1" -- "'$shared/work' '$place/file' '${odd//\'/}'" 2>&1 | tr '\n' ' '
}

tried() { # MODE ALLOW-LIST
	policy 60-tried <<-POLICY
		policies = ( { name = "tried"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
		  mode = "$1"; apparmor = { profile = "cloister-restricted"; };
		  seccomp = { allow = [$2]; deny = ["mkdir", "mkdirat"]; }; } );
	POLICY
}

# Enforced, as it is -----------------------------------------------------------------------------------------------

tried enforce '"acct"'
hold_cell strict alice
check_equal "enforced, all of it is refused" "perf_event_open 1 write 13 write 13 mkdir 1 execute 13 rmdir 2 " "$(work strict)"
release strict

# Audited ----------------------------------------------------------------------------------------------------------

tried audit '"acct"'
hold_cell audited alice
check_equal "in audit mode all of it works" "perf_event_open 14 write 0 write 0 mkdir 0 execute 0 rmdir 0 " "$(work audited)"
journalctl --sync
id=$(ctl list --json | jq -r '.[0].id')
document=$(ctl suggest "$id" --json)
value() { # JQ-FILTER
	jq -c "$1" <<<"$document"
}
check_equal "whose cell it is, and where it is read" "[\"$ALICE\",$(user_id alice),\"$id\",\"tried\",\"audit\",\"journal\"]" \
	"$(value '[.user, .uid, .id, .policy, .mode, .source]')"
check_equal "the call that would be refused" '[{"count":1,"comm":"x\"]; };\n#","effect":"allow"}]' \
	"$(value '[.seccomp.calls[] | select(.name == "perf_event_open") | {count, comm, effect}]')"
check_equal "one that the policy denies is told, and not suggested" '["denied",false]' \
	"$(value '[(.seccomp.calls[] | select(.name == "mkdir") | .effect), (.seccomp.allow | any(. == "mkdir"))]')"
check_equal "the list is the policy's own, and more" '["acct",true]' \
	"$(value '[.seccomp.allow[0], (.seccomp.allow | any(. == "perf_event_open"))]')"
check_equal "the files that would be refused" "\"$place/a \\\"b\\\" \\[c\\]\\*\\{d\\},\" w,
\"$place/file\" w," "$(jq -r '.apparmor.rules[] | select(.effect == "allow") | .rule' <<<"$document" | grep -F "$place" | LC_ALL=C sort)"
check_equal "what a deny rule of the profile refuses is told as that" '["denied"]' \
	"$(value '[.apparmor.rules[] | select(.rule | contains("/tmp/program")) | .effect] | unique')"

perf='[.seccomp.calls[] | select(.name == "perf_event_open")] | length'
check_equal "by the user's name, too" 1 "$(ctl suggest "$ALICE" --json | jq "$perf")"
check_equal "another user has none of it" 0 "$(ctl suggest "$BOB" --json | jq "$perf")"
check_fails "a tenant may not ask" runuser -u "$BOB" -- "$CTL" suggest "$ALICE"
text=$(ctl suggest "$id")
check_lacks "no name breaks out of its comment" '^#?evil|^#",' "$text"
check_matches "names are escaped" 'perf_event_open: 1 time, by "x"\]; \};\\x0a#"' "$text"
release audited

# Enforced, with the lines pasted ----------------------------------------------------------------------------------

allow=$(sed -nE 's/^seccomp = \{ allow = \[(.*)\]; \};$/\1/p' <<<"$text")
check_matches "a line for the policy" '^"acct", .*"perf_event_open"' "$allow"
grep '^  ' <<<"$text" >"$LOCAL"
check "the draft is a profile's" apparmor_parser -r "$PROFILE"
tried enforce "$allow"
check "the policy is valid" ctl check
hold_cell mended alice
check_equal "enforced with the lines, it works; what is denied does not" \
	"perf_event_open 14 write 0 write 0 mkdir 1 execute 13 rmdir 2 " "$(work mended)"
journalctl --sync
check_equal "by now the policy lets it through" '["other"]' \
	"$(ctl suggest "$ALICE" --json | jq -c '[.seccomp.calls[] | select(.name == "perf_event_open") | .effect]')"
release mended

done_testing
