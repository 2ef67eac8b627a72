#include "report/command/format/text/costs.h"

#include <stdio.h>
#include <string.h>

const char *dlw_cost_time(struct dlw_region *region, uint64_t ns)
{
    if (ns < 1000)
        return dlw_region_print(region, "%llu ns", (unsigned long long)ns);
    double value = (double)ns / 1e3;
    const char *const units[] = {"us", "ms", "s"};
    size_t unit = 0;
    for (; value >= 1000 && unit < 2; unit++)
        value /= 1000;
    return dlw_region_print(region,
                            value < 10    ? "%.2f %s"
                            : value < 100 ? "%.1f %s"
                                          : "%.0f %s",
                            value, units[unit]);
}

const char *dlw_cost_number(struct dlw_region *region, uint64_t number)
{
    char digits[24], *out = dlw_region_alloc(region, 32), *to = out;
    int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

const char *dlw_cost_place(struct dlw_region *region, const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    if (place == stack->n)
        return "a place that is not known";
    const struct dlw_frame *frame = &stack->frames[place];
    return frame->function
               ? dlw_region_print(region, "%s (%s)", dlw_function_title(region, frame->function),
                                  dlw_frame_place(region, frame))
               : dlw_frame_place(region, frame);
}

const char *dlw_cost_holder(struct dlw_region *region, const struct dlw_doc_cost *cost)
{
    if (!cost->holder.n)
        return NULL;
    return dlw_region_print(region, "%s, taken in %s",
                            cost->holder_name ? cost->holder_name : "another thread",
                            dlw_cost_place(region, &cost->holder));
}

/* It was free again at the first looks, which are not timed, or the thread slept. */
static const char *waited_words(struct dlw_region *region, const struct dlw_doc_cost *cost)
{
    if (!cost->wait)
        return "each time too briefly to be timed";
    return dlw_region_print(region, "waited for %s, %s at most", dlw_cost_time(region, cost->wait),
                            dlw_cost_time(region, cost->wait_longest));
}

const char *dlw_cost_words(struct dlw_region *region, const struct dlw_doc_cost *cost)
{
    const char *holder = dlw_cost_holder(region, cost);
    const char *text =
        dlw_region_print(region, "%s in %s: taken %s time%s", dlw_lock_title(region, cost->lock),
                         dlw_cost_place(region, &cost->place),
                         dlw_cost_number(region, cost->takings), cost->takings == 1 ? "" : "s");
    if (cost->contended)
        text = dlw_region_print(region, "%s; busy %s time%s, %s%s%s", text,
                                dlw_cost_number(region, cost->contended),
                                cost->contended == 1 ? "" : "s", waited_words(region, cost),
                                holder ? " while it was held by " : "", holder ? holder : "");
    if (cost->holds)
        text = dlw_region_print(region, "%s; held for %s, %s at most (%s timed)", text,
                                dlw_cost_time(region, cost->hold / cost->holds),
                                dlw_cost_time(region, cost->hold_longest),
                                dlw_cost_number(region, cost->holds));
    if (cost->blocked)
        text =
            dlw_region_print(region, "%s; others waited %s time%s meanwhile, for %s", text,
                             dlw_cost_number(region, cost->blocked), cost->blocked == 1 ? "" : "s",
                             dlw_cost_time(region, cost->blocked_time));
    return text;
}
