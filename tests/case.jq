# `dlwatch report --format=json` of a case, without what differs from run to run: one line a
# finding, then who holds and wants what, and the source line where. $source is the file's name,
# $text what is in it.
def trim: sub("^\\s+"; "") | sub("\\s+$"; "");
($text | split("\n")) as $lines
| def base: split("/") | last;
  def is_ours: (.file // "" | base) == $source;
  def place:
    (. // []) | map(select((.file // "" | base) as $f | $f != "dlwatch.h" and $f != "custom.h"))
    | if length == 0 then "?"
    else ((if $source | endswith(".cpp") then first(.[] | select(is_ours)) else empty end) // .[0])
      | if .unknown then "?"
        elif is_ours and .line then "\(.function): \($lines[.line - 1] | trim)"
        else "\(.function // "?")" end
    end;
  def lock($locks; $mode):
    $locks[.] as $l
    | if $l == null then "?"
      elif $l.kind == "thread" then "thread"
      else "\($l.kind) \($l.name // "-")" + (if $l.kind == "rwlock" then " \($mode)" else "" end) end;
  def held($locks): .mode as $mode
    | (.lock | lock($locks; $mode)) + (if $locks[.lock].kind == "thread" then "" else " @ \(.stack | place)" end);
  def entry($locks):
    (.thread.name // "-") as $who
    | "  \(.holds.thread.name // $who) holds \(.holds | held($locks))\n  \($who) wants \(.wants.mode as $mode | .wants.lock | lock($locks; $mode)) @ \(.wants.stack | place)";
  def rotated: . as $all | index(min) as $i | $all[$i:] + $all[:$i];
  def state($locks):
    (.thread.name // "-") as $who
    | "  \($who) \(.waits // .state)\(if .for then " \(.for | lock($locks; "-") | sub(" -$"; ""))" else "" end) @ \(.stack | place)",
      ((.holds // [])[] | "  \($who) holds \(held($locks))");
  def why:
    if .reason == null then ""
    elif .kind == "lock-order-inversion" then
      (.reason | if test("kept apart only") then " scope"
                 elif test("guarded") then " gate"
                 elif test("one thread") then " one-thread"
                 elif test("ordered") then " ordered"
                 elif test("shared|reader") then " shared"
                 elif test("intended") then " intended"
                 elif test("timed") then " timed"
                 elif test("condition") then " condition"
                 elif test("end of a thread") then " join"
                 elif test("semaphore") then " semaphore" else "" end)
    else (.reason | if test("fork|parent") then " parent" elif test("ended") then " ended" else "" end) end;
  def finding:
    .locks as $locks
    | "\(.kind) \(.severity) \(.certainty)\(why)\(if (.count // 1) > 1 then " x\(.count)" else "" end)",
      ([(.cycle // [])[] | entry($locks)]
       | if length > 20 then "  a cycle of \(length)" elif length > 0 then rotated[] else empty end),
      (if .cycle then empty else ([(.threads // [])[] | [state($locks)] | join("\n")] | sort[]) end);
  [.findings[] | [finding] | join("\n")] | sort[]
