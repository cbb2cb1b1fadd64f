"""What a step of a task looks like: its grid, its agents and who supplies whom, as plain data.

view = view_of(env, params)
look = view.look(state, actions, env.transition(key, state, actions, params), params)   # traced
view.picture(look)                                                                       # a dict for JSON
"""

from gridjax.evaluation.views.happenings import happenings
from gridjax.evaluation.views.network_view import NetworkView, Seen
from gridjax.evaluation.views.task import view_of
from gridjax.evaluation.views.view import Look, View

__all__ = ["Look", "NetworkView", "Seen", "View", "happenings", "view_of"]
