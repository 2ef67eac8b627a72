/* libdlwatch(7) */
#include "report/command/generate/generate.h"

#include "report/command/model.h"

static const char *meaning(enum dlw_kind kind)
{
    switch (kind) {
    case DLW_DEADLOCK:
        return "Error. Threads that wait for each other now and can't get out; a thread that waits "
               "for itself, or for a lock whose holder has ended.";
    case DLW_STALL:
        return "Error. Every thread waits without time limit and nothing is left that could wake "
               "one.";
    case DLW_LOCK_ORDER_INVERSION:
        return "Error. Locks taken in orders that go round in a circle, by different threads, not "
               "under a common gate lock, not ordered by create and join.";
    case DLW_UNLOCK_NOT_OWNER:
        return "Error. Unlocking a lock that this thread does not hold.";
    case DLW_DESTROY_LOCKED:
        return "Error. Destroying a lock that is held or waited for.";
    case DLW_WAIT_WITHOUT_MUTEX:
        return "Error. A condition wait whose mutex the caller does not hold.";
    case DLW_EXIT_HOLDING_LOCK:
        return "Warning. A thread ends holding a lock.";
    default:
        return "";
    }
}

void dlw_generate_library_page(FILE *out)
{
    dlw_troff_heading(out, "LIBDLWATCH", "7");
    fputs(".SH NAME\nlibdlwatch \\- watch the locks of a program by preloading\n"
          ".SH SYNOPSIS\n.nf\nLD_PRELOAD=libdlwatch.so DLWATCH_OPTIONS=\"key=value:key=value\" "
          "\\fIprogram\\fR\n.fi\n.SH DESCRIPTION\n",
          out);
    dlw_troff_paragraph(out,
                        "The library observes: it does not change what the program returns, "
                        "prints on standard output, or exits with, unless an option asks for it. "
                        "For a readable report it starts dlwatch(1), which it finds beside itself "
                        "or in ../bin; without it places are given as module and offset.");
    dlw_troff_paragraph(out,
                        "Pairs are separated by colons or spaces; a value that holds either is "
                        "quoted 'like this'. What is wrong is warned about in one line, and the "
                        "default stands.");
    fputs(".SH OPTIONS\n", out);
    dlw_troff_options(out, "", 0);
    fputs(".SH FINDINGS\n", out);
    for (int kind = 0; kind < DLW_N_KINDS; kind++)
        dlw_troff_item(out, dlw_kind_word((enum dlw_kind)kind), NULL, meaning((enum dlw_kind)kind));
    fputs(".SH SEE ALSO\n.BR dlwatch (1)\n", out);
}
