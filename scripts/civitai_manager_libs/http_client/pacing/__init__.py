"""How many requests a host bears, and who may ask it when.

Stands on errors, forks and http_client's slots and background. All but `throttle` decide,
without clock or lock; it makes threads obey. From the top down:

throttle   waiting for one's turn
hosts      ... what is known of a host, and who waits for it
pace       how many requests at once, and how fast they may start, learnt from how they end:
ceiling    ... the most at once that a host accepts, and looks above it
limit      ... more at once while there is no sign of a limit, fewer when answers come slower
freed      ... places just freed stay empty for a moment
signs      ... what is noticed of a host: slower answers, strays and bursts of refusals
budget     a fixed pace: the API's
tokens     so many starts a second
holds      nobody asks for a while
"""
