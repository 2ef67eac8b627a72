#include "graph/order_private.h"
bool dlw_told_init(struct dlw_order *order)
{
    (void)order;
    return true;
}
void dlw_told_destroy(struct dlw_order *order)
{
    (void)order;
}
void dlw_told_forget(struct dlw_order *order, dlw_node node)
{
    (void)order;
    (void)node;
}
void dlw_cycle_report(struct dlw_order *order, uint32_t edge, uint32_t piece,
                      const struct dlw_order_sink *sink)
{
    (void)order;
    (void)edge;
    (void)piece;
    (void)sink;
}
