#include "graph/instance.h"

#include "graph/finding.h"

enum { MOST_STEPS = 20000 };

struct search {
    const struct dlw_part *parts;
    const struct dlw_player *players;
    uint32_t n_parts, n_players, first;
    uint32_t *chosen;
    uint32_t steps; /* left */
};

static const struct dlw_player *chosen_for(const struct search *s, uint32_t role)
{
    return &s->players[s->chosen[role]];
}

static bool plays(const struct search *s, uint32_t role, uint32_t before,
                  const struct dlw_player *player)
{
    bool lets_in = s->parts[role].hold_mode == DLW_SHARED &&
                   s->parts[before].want_mode == DLW_SHARED; /* readers */

    return (player->role == role || player->role == DLW_ANY_ROLE) && !player->is_through &&
           !lets_in;
}

/* As far as one can know. */
static bool asks_for(const struct dlw_player *player, const struct dlw_player *next)
{
    return player->asks == 0 || player->asks == next->lock;
}

/* Another thread than all that were chosen before. Roles that held one lock in the known cycle hold
 * one here, and others others. */
static bool fits(const struct search *s, uint32_t depth, uint32_t role,
                 const struct dlw_player *player)
{
    for (uint32_t k = 0; k < depth; k++) {
        uint32_t other = (s->first + k) % s->n_parts;
        bool is_same = chosen_for(s, other)->lock == player->lock;
        if (chosen_for(s, other)->thread == player->thread ||
            is_same != (s->parts[other].lock == s->parts[role].lock))
            return false;
    }
    return true;
}

/* The roles are filled one after the other, `depth` of them already. */
static bool fill(struct search *s, uint32_t depth)
{
    uint32_t role = (s->first + depth) % s->n_parts;
    uint32_t before = (role + s->n_parts - 1) % s->n_parts;

    if (depth == s->n_parts)
        return asks_for(chosen_for(s, before), chosen_for(s, role));
    for (uint32_t i = 0; i < s->n_players; i++) {
        const struct dlw_player *player = &s->players[i];
        if (s->steps == 0)
            return true;
        s->steps--;
        if (!plays(s, role, before, player) || !fits(s, depth, role, player) ||
            !asks_for(chosen_for(s, before), player))
            continue;
        s->chosen[role] = i;
        if (fill(s, depth + 1))
            return true;
    }
    return false;
}

bool dlw_instance_closes(const struct dlw_part *parts, uint32_t n_parts,
                         const struct dlw_player *players, uint32_t n_players, uint32_t me,
                         uint32_t *chosen)
{
    uint32_t mine = players[me].role == DLW_ANY_ROLE ? 0 : players[me].role;
    struct search s = {parts, players, n_parts, n_players, mine, chosen, MOST_STEPS};

    if (n_parts < 2 || !plays(&s, mine, (mine + n_parts - 1) % n_parts, &players[me]))
        return false;
    for (uint32_t i = 0; i < n_parts; i++)
        chosen[i] = me;
    return fill(&s, 1);
}
