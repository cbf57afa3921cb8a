"""Leader election: the timer, the questions and the votes (paper 5.2, 5.4.1; pre-vote: thesis 9.6).

One timer per server. Hearing from the leader only notes the time; when the timer fires it looks at the note and waits for the rest,
so that messages cost no timers.
"""

from __future__ import annotations

from targets.kv.raft.local_clock import POLL_S
from targets.kv.raft.roles import Roles
from targets.kv.raft.state import Role, State
from targets.node.env import Body, Message


class Election:
    """One server's part in elections."""

    def __init__(self, state: State, roles: Roles) -> None:
        self._state, self._roles = state, roles
        self._votes: list[str] = []
        self._since_s = (
            0.0  # when this server last began to wait: at its start, at a vote that it gave, at an election of its own
        )
        self.timeout_s = 0.0  # how long it waits until it stands itself

    def start(self) -> None:
        self._state.env.log(self._state.role.value, term=self._state.term)
        self._wait_anew()
        self._arm()

    # The timer

    def _wait_anew(self) -> None:
        config, env = self._state.config, self._state.env
        self._since_s = self._state.now()
        # 5.2: "election timeouts are chosen randomly from a fixed interval", so that most of the time one server alone times out.
        self.timeout_s = env.random.uniform(config.election_min_s, config.election_max_s)

    def _arm(self) -> None:
        state = self._state
        rest_s = max(state.heard_s, self._since_s) + self.timeout_s - state.now()
        if state.local is not None:
            rest_s = min(rest_s, POLL_S)  # a clock that drifts must be watched
        if state.bugs.fixed_election_timeout:
            period_s = state.config.election_max_s
            rest_s = period_s - state.env.wall_time() % period_s
            if rest_s < period_s / 10:  # a timer that fires a moment early must not fire again
                rest_s += period_s
        state.env.call_later(max(rest_s, 0.001), self._on_timer)

    def _on_timer(self) -> None:
        state = self._state
        waited_s = state.now() - max(state.heard_s, self._since_s)
        due = waited_s >= self.timeout_s or state.bugs.fixed_election_timeout
        if state.leads:
            self._wait_anew()
        elif due and self._silent():
            self._wait_anew()
            if state.me in state.members.nodes:
                self._campaign()
            else:
                self._make_itself_heard()
        elif state.heard_s > self._since_s:
            self._wait_anew()
            self._since_s = state.heard_s
        self._arm()

    def _silent(self) -> bool:
        """Whether no leader has been heard for the minimum election timeout."""
        return not self._state.leads and self._state.silent_s() >= self._state.config.election_min_s

    def _sticks(self) -> bool:
        """Whether this server has promised its leader not to vote."""
        return self._state.config.stickiness and not self._silent()

    # Asking

    def _campaign(self) -> None:
        state = self._state
        if state.config.pre_vote and not state.bugs.fixed_election_timeout:
            # Thesis 9.6: "a candidate only increments its term if it first learns from a majority of the cluster that they would be
            # willing to grant the candidate their votes". A server behind a broken link disturbs nobody.
            self._roles.seek()
            self._ask(state.term + 1, pre=True)
        else:
            self._stand()

    def _make_itself_heard(self) -> None:
        """This server is no member (any more), and nobody sends it anything: it can neither lead nor follow.

        The autopilot adds a server that it hears. The question costs nothing: a server without a seat does not count votes.
        """
        self._roles.follow(self._state.term, None)
        if self._state.config.autopilot_s:
            self._ask(self._state.term + 1, pre=True)

    def _stand(self) -> None:
        self._roles.stand()
        self._wait_anew()
        self._ask(self._state.term, pre=False)

    def _ask(self, term: int, *, pre: bool) -> None:
        state = self._state
        self._votes = []
        body: Body = {
            "type": "request_vote",
            "pre": pre,
            "term": term,
            "last_index": state.log.last_index,
            "last_term": state.log.last_term,
        }
        for peer in state.members.nodes:
            if peer != state.me:
                state.env.send(peer, body)
        self._count(state.me)

    def on_vote(self, message: Message) -> None:
        """An answer to RequestVote."""
        body, state = message["body"], self._state
        pre, granted, term = body["pre"], body["granted"], body["term"]
        if term > state.term and not (pre and granted):
            self._roles.follow(term, None)
            return
        asking = (
            (state.role is Role.PRE_CANDIDATE and term == state.term + 1)
            if pre
            else (state.role is Role.CANDIDATE and term == state.term)
        )
        if granted and asking:
            self._count(message["src"])

    def _count(self, voter: str) -> None:
        state = self._state
        if voter in state.members.nodes and voter not in self._votes:
            self._votes.append(voter)
        if len(self._votes) < state.members.quorum:
            return
        if state.role is Role.PRE_CANDIDATE:
            self._stand()
        elif state.role is Role.CANDIDATE:
            # 5.2: "A candidate wins an election if it receives votes from a majority of the servers in the full cluster for the same term."
            self._roles.lead()

    # Answering

    def on_request_vote(self, message: Message) -> None:
        """RequestVote (Figure 2), and its rehearsal."""
        body, candidate, state = message["body"], message["src"], self._state
        term, pre = body["term"], body["pre"]
        if self._sticks():
            # Thesis 4.2.3: "if a server receives a RequestVote request within the minimum election timeout of hearing from a current
            # leader, it does not update its term or grant its vote."
            granted = False
        elif pre:
            granted = term > state.term and self._up_to_date(body)
        else:
            if term > state.term:
                self._roles.follow(term, None)
            granted = term == state.term and state.voted_for in {None, candidate} and self._up_to_date(body)
            if granted:
                state.enter(term, candidate)  # on the disk before the answer leaves
                self._wait_anew()
        answer_term = term if granted else state.term
        state.env.send(candidate, {"type": "vote", "pre": pre, "term": answer_term, "granted": granted})

    def _up_to_date(self, body: Body) -> bool:
        """5.4.1: "If the logs have last entries with different terms, then the log with the later term is more up-to-date. If the logs
        end with the same term, then whichever log is longer is more up-to-date."
        """
        if self._state.bugs.vote_for_outdated_log:
            return True
        log = self._state.log
        return (body["last_term"], body["last_index"]) >= (log.last_term, log.last_index)
